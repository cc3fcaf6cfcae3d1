// What is in a file of certificates, requests or a revocation list, for people.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

// "Serial" and "4AD1...", in the order to show them.
using Facts = std::vector<std::pair<std::string, std::string>>;

// One element an object in the file. Refuses a file that holds none, and private keys: nothing of
// them is shown.
Result<std::vector<Facts>> DescribeFile(const Path& file);

}  // namespace fx
