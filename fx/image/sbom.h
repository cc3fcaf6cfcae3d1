// A list of what is in an image, for those who have to watch for holes in it: SPDX 2.3 as JSON
// (spdx.github.io/spdx-spec/v2.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fx/image/packages.h"

namespace fx {

struct SbomFile {
  std::string name;  // in the image, absolute
  std::string sha1;  // which SPDX demands
  std::string sha256;
  std::optional<SystemPackage> package;
};

struct SbomFacts {
  std::string name;     // of the image
  std::string version;  // of fx
  std::int64_t created = 0;
  std::vector<SbomFile> files;  // the first one is fx
  // Libraries inside fx itself, name and version.
  std::vector<std::pair<std::string, std::string>> built_in;
};

// Packages with their files: fx, each package of the system, and for a file of no package one of
// its own, whose version nobody knows. The same facts give the same text.
std::string SpdxText(const SbomFacts& facts);

}  // namespace fx
