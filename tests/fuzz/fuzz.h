// What the fuzz targets share: a target is one function, Try, that states what must hold for any
// bytes at all. libFuzzer looks for bytes for which it does not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/random.h"

namespace fx::fuzz {

// Each target defines it. A property that is broken is an FX_CHECK that fails.
void Try(std::string_view input);

// Checks, when it ends, that what was allocated meanwhile never took more than `times` the input
// and the allowance together. One at a time.
class MemoryBound {
 public:
  static constexpr std::size_t kAllowance = 1U << 18;
  // Protobuf reserves, and does not touch, up to 50 MB for a text that claims to be so long, before
  // it sees that the message ends; one a message, as that ends the parsing. A text that was there
  // before and has to grow gets twice as much.
  static constexpr std::size_t kProtobufAllowance = 128U << 20;

  MemoryBound(std::string_view input, std::size_t times, std::size_t allowance = kAllowance);
  ~MemoryBound();
  MemoryBound(const MemoryBound&) = delete;
  MemoryBound& operator=(const MemoryBound&) = delete;

 private:
  std::size_t limit_;
};

// A file that holds `bytes`, for parsers that read files. Not synced: nobody needs it tomorrow.
class InputFile {
 public:
  explicit InputFile(std::string name) : path_(folder_.path() / std::move(name)) {}
  const Path& Holding(std::string_view bytes);
  const Path& path() const { return path_; }

 private:
  TempDir folder_;
  Path path_;
};

// The same text cut in pieces: as many cuts as `draws` likes, also none, also into single bytes.
template <typename Take>
void InPieces(std::string_view text, RandomStream& draws, const Take& take) {
  const std::uint64_t longest = 1 + draws.Below(2 * text.size() + 1);
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, 1 + draws.Below(longest));
    take(piece);
    text.remove_prefix(piece.size());
  }
}

// No control characters: fit for a log and a terminal.
bool IsPrintable(std::string_view text);

}  // namespace fx::fuzz
