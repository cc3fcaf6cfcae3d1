// Zip archives, read into memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

// Those of the files `wanted` that the archive has, unpacked. Refuses, naming the archive: a
// damaged one, and files of together more than `limit` bytes, without unpacking more.
Result<std::map<std::string, std::string>> ReadZip(const Path& path,
                                                   const std::vector<std::string>& wanted,
                                                   std::uint64_t limit);

}  // namespace fx
