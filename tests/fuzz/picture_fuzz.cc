// Pictures: as many bytes as height, width and channels say, whatever the channels asked for; what
// can be read can be scaled. stb_image is compiled here once more, in place of Debian's: with the
// fuzzer's eyes and AddressSanitizer in it.
#define STB_IMAGE_IMPLEMENTATION
#include <stb/stb_image.h>
#include <zlib.h>

#include "tasks/loaders/image_file.h"
#include "tests/fuzz/fuzz.h"

namespace fx::fuzz {
namespace {

void CheckSize(const Picture& picture, std::int64_t channels) {
  FX_CHECK(picture.channels == channels && picture.height > 0 && picture.width > 0);
  const std::int64_t size = channels * picture.height * picture.width;
  FX_CHECK(picture.pixels.size() == static_cast<std::size_t>(size));
}

std::uint32_t BigEndian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

// With the checksums that a PNG with these bytes would have: no fuzzer finds them.
std::string Repaired(std::string_view input) {
  std::string bytes(input);
  if (!bytes.starts_with("\x89PNG")) return bytes;
  for (std::size_t at = 8; at + 12 <= bytes.size();) {
    const std::size_t length = BigEndian(input.substr(at, 4));
    if (length > bytes.size() - at - 12) return bytes;
    const auto* const covered = reinterpret_cast<const Bytef*>(bytes.data() + at + 4);
    const auto crc = crc32_z(0, covered, 4 + length);
    for (std::size_t i = 0; i < 4; ++i)
      bytes[at + 8 + length + i] = static_cast<char>(crc >> (24 - 8 * i));
    at += 12 + length;
  }
  return bytes;
}

}  // namespace

void Try(std::string_view input) {
  static InputFile file("in.png");
  file.Holding(Repaired(input));
  const auto grey = ReadPicture(file.path(), 1);
  const auto colours = ReadPicture(file.path(), 3);
  FX_CHECK(grey.has_value() == colours.has_value());
  if (!grey) {
    FX_CHECK(grey.error().OneLine().find("in.png") != std::string::npos);
    return;
  }
  CheckSize(*grey, 1);
  CheckSize(*colours, 3);
  FX_CHECK(grey->height == colours->height && grey->width == colours->width);
  CheckSize(Resize(*colours, {5, 7}, Scaling::kBilinear), 3);
  CheckSize(Resize(*grey, {7, 5}, Scaling::kNearest), 1);
}

}  // namespace fx::fuzz
