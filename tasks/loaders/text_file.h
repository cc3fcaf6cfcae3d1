// Text files as strings.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

// The whole file, of at most `limit` bytes. Refuses one with a NUL byte in it, naming the line:
// what is packed, a picture or in UTF-16 would else be taken for data.
Result<std::string> ReadText(const Path& path, std::uint64_t limit);

}  // namespace fx
