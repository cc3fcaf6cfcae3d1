// The files of an image of fx: the program with its libraries in one layer, which is the same for
// all workspaces, and the workspace in another.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "fx/image/libraries.h"
#include "fx/image/tar.h"
#include "fx/workspace/archive.h"

namespace fx {

// The user of the process in the container. Nobody else has the number on usual systems.
inline constexpr std::int64_t kImageUser = 65532;
inline constexpr const char* kImageWorkspace = "/workspace";

struct ProgramFiles {
  std::vector<TarEntry> entries;
  std::string program;                   // where fx is, absolute
  std::vector<std::string> entry_point;  // words that start it
  std::vector<std::string> paths;        // where its libraries are, absolute; the loader last
};

// The whole file system: fx in /usr/bin, the libraries in the folder where this machine's C library
// is, which the loader searches by itself, and what programs expect to be there.
ProgramFiles WholeSystem(const Program& program);

// To lay over a stranger's file system: all in /opt/fx, started through the loader that came with
// it, so that neither's libraries meet the other's.
ProgramFiles OverBase(const Program& program);

// What WorkspaceContents gives, in kImageWorkspace, owned by root, and the folders fx writes into,
// owned by kImageUser; certificates only if they are given, the text of cert/cert_chain.crt.
std::vector<TarEntry> WorkspaceFiles(const std::vector<ArchiveEntry>& contents,
                                     const std::optional<std::string>& chain);

}  // namespace fx
