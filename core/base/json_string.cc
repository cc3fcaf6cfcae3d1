#include "core/base/json_string.h"

#include <cstddef>

#include "core/base/format.h"

namespace fx {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

unsigned char At(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

bool IsIn(unsigned char byte, unsigned char first, unsigned char last) {
  return first <= byte && byte <= last;
}

// Of the character of several bytes that `text` begins with, or 0: table 3-7 of the Unicode
// Standard, version 15.
std::size_t LengthOf(std::string_view text) {
  const unsigned char lead = At(text, 0);
  const unsigned char lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  const std::size_t length = IsIn(lead, 0xC2, 0xDF)   ? 2
                             : IsIn(lead, 0xE0, 0xEF) ? 3
                             : IsIn(lead, 0xF0, 0xF4) ? 4
                                                      : 0;
  if (length == 0 || !IsIn(At(text, 1), lowest, highest)) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (!IsIn(At(text, i), 0x80, 0xBF)) return 0;
  }
  return length;
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    std::size_t taken = 1;
    if (At(text, 0) >= 0x80) {
      const std::size_t length = LengthOf(text);
      out += length == 0 ? kReplacement : text.substr(0, length);
      if (length != 0) taken = length;
    } else if (At(text, 0) < 0x20 || c == 0x7F) {
      out += format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    text.remove_prefix(taken);
  }
  out += '"';
}

}  // namespace fx
