// The folder below which a machine's files lie: "/", or where the system of another machine has
// been unpacked. Links in it mean what they mean on that machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

class SystemRoot {
 public:
  // A relative folder is one of the current folder.
  explicit SystemRoot(const Path& folder);

  const Path& path() const { return folder_; }
  // Where `inside`, a path of the machine, lies here.
  Path Below(const Path& inside) const { return folder_ / inside.relative_path(); }

  // Where the file really is, its last part included. In the part of `path` that lies below the
  // root, links are followed as chroot(2) would have it: "/" and what is above it are the root. A
  // path that does not lie below it, neither as it is nor without its "..", is returned as it is.
  // Nothing of this needs to exist. Refuses more than 40 links, as Linux does (path_resolution(7)).
  //
  // Not openat2(2) with RESOLVE_IN_ROOT, which old kernels lack and filters of system calls in
  // containers often forbid. What that does besides, to withstand somebody who changes links
  // meanwhile, does not matter here: it would be the system that is being packed.
  Result<Path> Resolve(const Path& path) const;

  // core/base/file.h, of what Resolve finds.
  bool Exists(const Path& path) const;
  Result<std::string> Read(const Path& path, std::uint64_t limit) const;
  Result<std::vector<Path>> List(const Path& path) const;

 private:
  Path folder_;
};

}  // namespace fx
