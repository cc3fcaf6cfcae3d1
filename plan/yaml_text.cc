#include "plan/yaml_text.h"

#include <array>

#include "core/base/format.h"

namespace fx {
namespace {

// The bytes of the code point at the start of `text`, 0 if it is not UTF-8 or not a character YAML
// allows in a plan: control characters, and the line separators that parsers disagree about.
std::size_t CharacterSize(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80)
    return (first >= 0x20 && first != 0x7F) || first == '\n' || first == '\t' ? 1 : 0;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return 0;
  unsigned point = first & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
    point = (point << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<unsigned, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool valid =
      point >= kSmallest[size] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
  const bool allowed = point >= 0xA0 && point != 0x2028 && point != 0x2029 && point != 0xFEFF &&
                       (point & 0xFFFEU) != 0xFFFE;
  return valid && allowed ? size : 0;
}

}  // namespace

bool CheckCharacters(std::string_view text, const std::string& file, Complaints& complaints) {
  int line = 1;
  while (!text.empty()) {
    const std::size_t size = text.starts_with("\r\n") ? 2 : CharacterSize(text);
    if (size == 0) {
      complaints.Add(
          file, line,
          format("byte 0x{:02X} is no character of a text file in UTF-8; save the file as "
                 "UTF-8 text and remove control characters",
                 static_cast<unsigned char>(text[0])));
      return false;
    }
    if (text[size - 1] == '\n') ++line;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace fx
