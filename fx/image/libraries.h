// A program with everything it needs to start: its shared libraries and their loader. What ldd
// tells, without running anything, and so for programs of other machines too.
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

struct Library {
  std::string name;  // as others ask for it: "libssl.so.3"
  Path path;         // where it was found, absolute; may be a link
  std::string bytes;
};

struct Program {
  std::string arch;  // as container images name it
  Path path;
  std::string bytes;
  std::string loader;              // where the program wants it, absolute; "" if it needs none
  Library loader_file;             // empty without a loader
  std::vector<Library> libraries;  // all others, sorted by name; empty without a loader
};

struct LibrarySearch {
  Path root = "/";          // below which the machine's folders lie, and what links in them mean
  std::vector<Path> first;  // folders to search before all others
};

// Reads the program and, from the ELF headers of it and of each library, finds all that it needs,
// in the order of the dynamic loader: the file's own search path (DT_RUNPATH, DT_RPATH), `first`,
// the folders of /etc/ld.so.conf, those of the system. A library for another machine is passed over
// there, as the loader does; variants for newer processors (glibc-hwcaps) are not taken, so that
// the result runs on all machines of its kind. Refuses, with kNotFound, a library that is nowhere,
// saying who needs it and where was looked.
Result<Program> GatherProgram(const Path& file, const LibrarySearch& search);

}  // namespace fx
