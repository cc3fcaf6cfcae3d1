// Text that is wiped from memory when it dies: private keys on their way to and from files.
#pragma once

#include <string>
#include <utility>

namespace fx {

// Overwrites the text, its spare capacity included, and empties it.
void Wipe(std::string& text);

class SecretText {
 public:
  explicit SecretText(std::string text) : text_(std::move(text)) {}
  SecretText(SecretText&&) noexcept = default;
  SecretText& operator=(SecretText&&) = delete;
  ~SecretText() { Wipe(text_); }

  const std::string& value() const { return text_; }
  // Hands the text over; the new owner wipes it.
  std::string Release() && { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace fx
