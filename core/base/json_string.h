// A string as JSON writes it (RFC 8259 section 7), for those who may not depend on a library of
// JSON.
#pragma once

#include <string>
#include <string_view>

namespace fx {

// Adds `text` in quotes. Control characters become escapes; bytes that are not UTF-8 become U+FFFD
// each, for a reader need not take anything else (RFC 8259 section 8.1).
void AppendJsonString(std::string& out, std::string_view text);

}  // namespace fx
