// Which bytes a plan may consist of, before any parser sees them.
#pragma once

#include <string>
#include <string_view>

#include "plan/complaints.h"

namespace fx {

// Complains, with the line, about the first byte that is no character of a text: not UTF-8, a
// control character, or a line separator that parsers disagree about. Lines end in LF or CRLF.
bool CheckCharacters(std::string_view text, const std::string& file, Complaints& complaints);

}  // namespace fx
