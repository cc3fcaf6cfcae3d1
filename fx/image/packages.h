// Which package of the system a file came with, by dpkg's books (dpkg(1), /var/lib/dpkg).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/file.h"

namespace fx {

struct SystemPackage {
  std::string name;     // "libssl3"
  std::string version;  // "3.0.17-1~deb12u2"
  std::string arch;     // "amd64"
  std::string system;   // "debian", the ID of os-release(5)
};

// What package each of `files`, absolute below `root`, belongs to, by its own name or that of what
// it links to inside of the root; files that no package claims are left out. Books that are missing
// or damaged claim nothing: other systems have none.
std::map<Path, SystemPackage> PackagesOf(const Path& root, const std::vector<Path>& files);

}  // namespace fx
