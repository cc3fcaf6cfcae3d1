// File names from names that others chose.
#pragma once

#include <string>
#include <string_view>

namespace fx::aggregator {

// `name` as one path component: letters, digits, '_', '-' and inner dots stay, every other byte
// becomes %XX, and a long name is cut and given its SHA-256. Different names stay different, on a
// case-sensitive file system; no name can leave its folder, be hidden, or contain '+', which is
// left to join escaped names.
std::string EscapeFileName(std::string_view name);

}  // namespace fx::aggregator
