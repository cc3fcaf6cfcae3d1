// What a program or a shared library says about itself: the headers of the ELF format (System V
// ABI, "Object Files"; elf(5)). Little-endian files of 64 bits, on which fx runs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace fx {

struct ElfFacts {
  std::string arch;                 // as container images name it: "amd64", "arm64"
  std::string loader;               // the program's interpreter; "" of a library
  std::vector<std::string> needed;  // names of libraries, in the file's order
  std::vector<std::string> search;  // folders it asks to be searched for them; may hold $ORIGIN
};

// Reads the headers of `bytes`, which may be anything: every offset is checked before it is
// followed. Errors call the file `name`. Refuses, with kInvalidArgument, what is no ELF file, is
// for another kind of machine than fx knows, or whose headers lead out of it.
Result<ElfFacts> ReadElf(std::string_view bytes, const std::string& name);

}  // namespace fx
