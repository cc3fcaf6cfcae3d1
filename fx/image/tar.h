// Tar files and gzip, byte for byte the same for the same content: what container images are made
// of. Besides fx/workspace/archive.cc the door to libarchive.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

struct TarEntry {
  std::string name = {};  // relative, with '/' between folders; UTF-8
  std::string bytes = {};
  bool folder = false;
  unsigned mode = 0;       // 0: 0755 of a folder, 0644 of a file
  std::int64_t owner = 0;  // user and group
};

// A tar (pax where ustar has no room) of the entries, sorted by name, all of the time `mtime` in
// seconds since 1970. Two entries of one name are a bug.
Result<std::string> TarText(std::vector<TarEntry> entries, std::int64_t mtime);

// gzip without name and time, at a fixed level.
Result<std::string> GzipText(std::string_view bytes);

// The version of the libarchive that is part of this program, e.g. "3.6.2"; "" if it is a library
// of its own.
std::string BuiltInLibarchive();

// A tar that is written to a file beside `path` and takes its place when it is whole; otherwise
// nothing is left of it.
class TarFile {
 public:
  static Result<TarFile> Create(const Path& path, std::int64_t mtime);
  TarFile(TarFile&&) noexcept;
  TarFile& operator=(TarFile&&) noexcept;
  ~TarFile();

  Status AddFolder(const std::string& name);
  Status Add(const std::string& name, std::string_view bytes);
  // A file whose bytes come in pieces: Begin, then Append until `size` bytes are there.
  Status Begin(const std::string& name, std::uint64_t size);
  Status Append(std::span<const std::byte> bytes);
  // Durable under its name. Once, at the end.
  Status Finish();

 private:
  struct State;
  explicit TarFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Passes the bytes of the plain file `name` in the uncompressed tar `path` to `sink`, in pieces.
// The tar may be hostile: refuses, with kResourceExhausted, more than `limit` bytes and a tar of
// more than 10,000 entries, with kNotFound a tar without that file, with kDataLoss a damaged one.
using ByteSink = std::function<Status(std::span<const std::byte>)>;
Status ReadFromTar(const Path& path, const std::string& name, std::uint64_t limit,
                   const ByteSink& sink);

}  // namespace fx
