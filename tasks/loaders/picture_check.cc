#include "tasks/loaders/picture_check.h"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "core/base/format.h"
#include "tasks/loaders/image_file.h"

namespace fx {
namespace {

constexpr std::string_view kPngMagic("\x89PNG\r\n\x1a\n", 8);

std::uint32_t BigEndian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

std::string EndsEarly(std::size_t size) {
  return format("the file is truncated: it ends after {} bytes", size);
}

std::string PngFault(std::string_view bytes) {
  constexpr std::size_t kFrame = 12;  // length, type, CRC
  for (std::size_t at = kPngMagic.size(); bytes.size() - at >= kFrame;) {
    const std::size_t length = BigEndian(bytes.substr(at, 4));
    if (length > bytes.size() - at - kFrame) break;
    const std::string_view covered = bytes.substr(at + 4, 4 + length);
    const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(covered.data()), covered.size());
    if (crc != BigEndian(bytes.substr(at + 8 + length, 4)))
      return format("the checksum of the chunk at byte {} is wrong", at);
    if (covered.starts_with("IEND")) return {};
    at += kFrame + length;
  }
  return EndsEarly(bytes.size());
}

bool StandsAlone(std::uint8_t marker) {
  return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);  // TEM, RST0 to RST7, SOI
}

// Where the next marker's second byte is. Stuffed and fill bytes are none.
std::optional<std::size_t> FindMarker(std::string_view bytes, std::size_t at) {
  for (;;) {
    at = bytes.find('\xFF', at);
    if (at == std::string_view::npos || at + 1 >= bytes.size()) return std::nullopt;
    ++at;
    if (bytes[at] != '\0' && bytes[at] != '\xFF') return at;
  }
}

// A segment DHT is tables of class and number, how many codes there are of each of 16 lengths, and
// a byte a code.
bool HasBadHuffmanTable(std::string_view segment) {
  constexpr std::size_t kLengths = 16, kMostCodes = 256;
  while (!segment.empty()) {
    if (segment.size() < 1 + kLengths) return true;
    std::size_t codes = 0;
    for (const char count : segment.substr(1, kLengths)) codes += static_cast<std::uint8_t>(count);
    if (codes > kMostCodes || codes > segment.size() - 1 - kLengths) return true;
    segment.remove_prefix(1 + kLengths + codes);
  }
  return false;
}

std::string JpegFault(std::string_view bytes) {
  constexpr std::uint8_t kEndOfImage = 0xD9, kHuffmanTables = 0xC4;
  std::size_t at = 0;
  while (const auto found = FindMarker(bytes, at)) {
    at = *found + 1;
    const auto marker = static_cast<std::uint8_t>(bytes[*found]);
    if (marker == kEndOfImage) return {};
    if (StandsAlone(marker)) continue;
    if (bytes.size() - at < 2) break;
    const std::size_t length = BigEndian(bytes.substr(at, 2));
    if (length < 2 || length > bytes.size() - at) break;
    if (marker == kHuffmanTables && HasBadHuffmanTable(bytes.substr(at + 2, length - 2)))
      return format("the Huffman tables at byte {} contradict themselves", at);
    at += length;
  }
  return EndsEarly(bytes.size());
}

// Reads the numbers of a header: blanks and comments, then digits.
class PpmHeader {
 public:
  explicit PpmHeader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t Number() {
    SkipBlanks();
    std::uint64_t value = 0;
    const char* const begin = bytes_.data() + at_;
    const auto [end, error] = std::from_chars(begin, bytes_.data() + bytes_.size(), value);
    at_ += static_cast<std::size_t>(end - begin);
    return error == std::errc::result_out_of_range ? ~std::uint64_t{0} : value;
  }

  // After the one blank behind the last number.
  std::size_t BytesLeft() const { return at_ < bytes_.size() ? bytes_.size() - at_ - 1 : 0; }

 private:
  void SkipBlanks() {
    constexpr std::string_view kBlanks = " \t\n\v\f\r";
    while (at_ < bytes_.size()) {
      if (bytes_[at_] == '#')
        at_ = std::min(bytes_.find_first_of("\r\n", at_), bytes_.size());
      else if (kBlanks.find(bytes_[at_]) != std::string_view::npos)
        ++at_;
      else
        return;
    }
  }

  std::string_view bytes_;
  std::size_t at_ = 2;
};

std::string PpmFault(std::string_view bytes) {
  constexpr std::uint64_t kMostExtent = 1U << 24, kWhite = 255;
  PpmHeader header(bytes);
  const std::uint64_t width = header.Number();
  const std::uint64_t height = header.Number();
  const std::uint64_t highest = header.Number();
  if (width < 1 || width > kMostExtent || height < 1 || height > kMostExtent)
    return format("its header claims {} x {} pixels", height, width);
  if (highest != kWhite) {
    return format("white is {} in its header, and PPM and PGM are read with {} only", highest,
                  kWhite);
  }
  const std::uint64_t pixel = bytes[1] == '6' ? 3 : 1;
  if (width * height > std::uint64_t{kMaxImagePixels}) return {};  // refused for its size
  if (header.BytesLeft() >= width * height * pixel) return {};
  return format("the file is truncated: {} x {} pixels need {} bytes, and {} are there", height,
                width, width * height * pixel, header.BytesLeft());
}

}  // namespace

std::string PictureFault(std::string_view bytes) {
  if (bytes.starts_with(kPngMagic)) return PngFault(bytes);
  if (bytes.starts_with("\xFF\xD8")) return JpegFault(bytes);
  if (bytes.starts_with("P5") || bytes.starts_with("P6")) return PpmFault(bytes);
  return "it begins like none that is read";
}

}  // namespace fx
