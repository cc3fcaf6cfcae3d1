// Text that is wiped from memory when it dies: private keys on their way to and from files.
#pragma once

#include <string>
#include <utility>

namespace fx {

// Overwrites the text, its spare capacity included, and empties it.
void Wipe(std::string& text);

class SecretText {
 public:
  // A short string's characters stay behind when it is moved from, so they are wiped there.
  explicit SecretText(std::string&& text) : text_(std::move(text)) { Wipe(text); }
  SecretText(SecretText&& other) noexcept : text_(std::move(other.text_)) { Wipe(other.text_); }
  SecretText& operator=(SecretText&&) = delete;
  ~SecretText() { Wipe(text_); }

  const std::string& value() const { return text_; }
  // Hands the text over; the new owner wipes it.
  std::string Release() && { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace fx
