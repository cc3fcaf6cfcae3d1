#include "fx/image/file_system.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "core/base/format.h"

namespace fx {
namespace {

constexpr unsigned kRunnable = 0755;

// The entries, and a folder for every one that they lie in, except those named in `there`.
void AddParents(std::vector<TarEntry>& entries, std::set<std::string> there) {
  for (const TarEntry& entry : entries) there.insert(entry.name);
  std::vector<TarEntry> parents;
  for (const TarEntry& entry : entries) {
    for (Path parent = Path(entry.name).parent_path(); !parent.empty();
         parent = parent.parent_path()) {
      if (!there.insert(parent.generic_string()).second) continue;
      parents.push_back({.name = parent.generic_string(), .folder = true});
    }
  }
  std::ranges::move(parents, std::back_inserter(entries));
}

// A path of the image without the slash at its front.
std::string Relative(const std::string& absolute) {
  return Path(absolute).lexically_normal().relative_path().generic_string();
}

// A folder that the loader searches without being told.
std::string LibraryFolder(const Program& program) {
  const auto libc = std::ranges::find(program.libraries, "libc.so.6", &Library::name);
  const Path folder = libc == program.libraries.end() ? program.loader_file.path.parent_path()
                                                      : libc->path.parent_path();
  // Below whatever root it was found.
  const std::string text = folder.generic_string();
  for (const std::string_view top : {"/usr/lib", "/lib"}) {
    const std::size_t at = text.rfind(top);
    if (at != std::string::npos) return text.substr(at);
  }
  return Path(program.loader).parent_path().generic_string();
}

void AddUserFiles(std::vector<TarEntry>& entries) {
  entries.push_back(
      {.name = "etc/passwd",
       .bytes = format("root:x:0:0:root:/:/sbin/nologin\nfx:x:{0}:{0}:fx:{1}:/sbin/nologin\n",
                       kImageUser, kImageWorkspace)});
  entries.push_back({.name = "etc/group", .bytes = format("root:x:0:\nfx:x:{}:\n", kImageUser)});
  entries.push_back(
      {.name = "etc/nsswitch.conf", .bytes = "passwd: files\ngroup: files\nhosts: files dns\n"});
}

}  // namespace

ProgramFiles WholeSystem(const Program& program) {
  ProgramFiles files{
      .entries = {}, .program = "/usr/bin/fx", .entry_point = {"/usr/bin/fx"}, .paths = {}};
  files.entries.push_back({.name = "usr/bin/fx", .bytes = program.bytes, .mode = kRunnable});
  if (!program.loader.empty()) {
    const std::string folder = LibraryFolder(program);
    for (const Library& library : program.libraries) {
      files.paths.push_back(folder + "/" + library.name);
      files.entries.push_back({.name = Relative(files.paths.back()), .bytes = library.bytes});
    }
    files.paths.push_back(program.loader);
    files.entries.push_back(
        {.name = Relative(program.loader), .bytes = program.loader_file.bytes, .mode = kRunnable});
  }
  AddUserFiles(files.entries);
  for (const char* const folder : {"dev", "proc", "run", "sys", "var"}) {
    files.entries.push_back({.name = folder, .folder = true});
  }
  files.entries.push_back({.name = "tmp", .folder = true, .mode = 01777});
  AddParents(files.entries, {});
  return files;
}

ProgramFiles OverBase(const Program& program) {
  ProgramFiles files{
      .entries = {}, .program = "/opt/fx/bin/fx", .entry_point = {"/opt/fx/bin/fx"}, .paths = {}};
  files.entries.push_back({.name = "opt/fx/bin/fx", .bytes = program.bytes, .mode = kRunnable});
  if (!program.loader.empty()) {
    for (const Library& library : program.libraries) {
      files.paths.push_back("/opt/fx/lib/" + library.name);
      files.entries.push_back({.name = Relative(files.paths.back()), .bytes = library.bytes});
    }
    files.paths.push_back("/opt/fx/lib/" + program.loader_file.name);
    files.entries.push_back({.name = Relative(files.paths.back()),
                             .bytes = program.loader_file.bytes,
                             .mode = kRunnable});
    files.entry_point = {files.paths.back(), "--library-path", "/opt/fx/lib", files.program};
  }
  AddParents(files.entries, {"opt"});
  return files;
}

std::vector<TarEntry> WorkspaceFiles(const std::vector<ArchiveEntry>& contents,
                                     const std::optional<std::string>& chain) {
  static constexpr std::array<std::string_view, 4> kWritten{"data", "local_state", "logs", "save"};
  const std::string top = Relative(kImageWorkspace);
  std::vector<TarEntry> entries;
  for (const ArchiveEntry& entry : contents) {
    if (entry.folder && std::ranges::find(kWritten, entry.name) != kWritten.end()) continue;
    entries.push_back(
        {.name = top + "/" + entry.name, .bytes = entry.bytes, .folder = entry.folder});
  }
  for (const std::string_view folder : kWritten) {
    entries.push_back({.name = format("{}/{}", top, folder), .folder = true, .owner = kImageUser});
  }
  for (const char* const folder : {"cert", "cert/client", "cert/server"}) {
    entries.push_back({.name = format("{}/{}", top, folder), .folder = true});
  }
  if (chain) entries.push_back({.name = top + "/cert/cert_chain.crt", .bytes = *chain});
  AddParents(entries, {});
  return entries;
}

}  // namespace fx
