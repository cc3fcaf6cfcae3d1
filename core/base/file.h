// Files, with the promises the rest relies on: a write is whole and durable or did not happen, and
// an error names the path and says why. No exceptions of std::filesystem leave this file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace fx {

using Path = std::filesystem::path;

// Permission bits of a new file or folder.
enum class FileMode : unsigned { kPublic = 0644, kPrivate = 0600, kFrozen = 0400 };

// What bytes that were written must survive: the loss of power, so that the disk has to have them,
// or only the end of this process, for which the kernel is enough.
enum class Survive { kPowerCut, kProcess };

inline std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// The whole file. Refuses one larger than `limit` bytes.
Result<std::string> ReadFile(const Path& path, std::uint64_t limit = 64ULL << 20);

// Replaces `path` with `bytes`: temporary file in the same folder, fsync, rename, fsync the folder.
// After a crash the file holds the old bytes or the new ones. The folder must exist. Without fsync
// if the end of the process is all that the bytes must survive.
Status AtomicWrite(const Path& path, std::string_view bytes, FileMode mode = FileMode::kPublic,
                   Survive survive = Survive::kPowerCut);

// Makes `from`, already fsynced, durable under the name `to` (rename, then fsync of the folder).
Status RenameDurably(const Path& from, const Path& to);

// The parts of it: a rename that a power cut may undo until the folder is synced.
Status RenameFile(const Path& from, const Path& to);
Status SyncFolder(const Path& folder);

Status MakeFolders(const Path& path, unsigned mode = 0755);
bool Exists(const Path& path);
Status RemoveIfExists(const Path& path);
Result<std::uint64_t> FileSize(const Path& path);
Result<std::vector<Path>> ListFolder(const Path& path);  // sorted by name

// A read-only mapping of a whole file. Move-only; unmapped by the destructor. A file that others
// truncate while it is mapped faults, so only map files this program owns.
class MappedFile {
 public:
  static Result<MappedFile> Open(const Path& path);
  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;
  ~MappedFile();
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  MappedFile() = default;
  std::span<const std::byte> bytes_;
};

// An open file for reading at offsets, by several threads if need be. Move-only.
class InputFile {
 public:
  static Result<InputFile> Open(const Path& path);
  InputFile(InputFile&&) noexcept;
  InputFile& operator=(InputFile&&) noexcept;
  ~InputFile();

  // Fills `to`. Refuses, with kDataLoss, a file that ends before.
  Status ReadAt(std::uint64_t offset, std::span<std::byte> to) const;

 private:
  InputFile() = default;
  int fd_ = -1;
  Path path_;
};

// An open file for writing at offsets. Move-only; closed by the destructor, which loses errors:
// call Sync before relying on the bytes.
class OutputFile {
 public:
  // Creates or truncates (`kKeep`: opens without truncating, for resuming).
  enum class Existing { kTruncate, kKeep };
  static Result<OutputFile> Open(const Path& path, Existing existing = Existing::kTruncate,
                                 FileMode mode = FileMode::kPublic);
  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;
  ~OutputFile();

  // Several threads may write at once, each its own range.
  Status WriteAt(std::uint64_t offset, std::span<const std::byte> bytes);
  // Pieces that lie apart in memory and follow each other in the file, in one call: a kernel takes
  // one large write at half the cost of many small ones.
  Status WriteAt(std::uint64_t offset, std::span<const std::span<const std::byte>> pieces);
  // Asks the kernel to begin writing a range to the disk now, so that Sync has less to wait for.
  // Promises nothing and reports nothing: Sync does.
  void BeginWriteback(std::uint64_t offset, std::uint64_t size) const;
  Status Resize(std::uint64_t size);
  Status Sync();  // fsync

 private:
  OutputFile() = default;
  int fd_ = -1;
  Path path_;
};

// An advisory lock on a file, held until destruction or death of the process. Fails with
// kFailedPrecondition if another process holds it.
class FileLock {
 public:
  static Result<FileLock> Acquire(const Path& path);
  // Whether anyone, this process included, holds it. Only looks: nobody's Acquire fails for it.
  static Result<bool> IsHeld(const Path& path);
  FileLock(FileLock&&) noexcept;
  FileLock& operator=(FileLock&&) noexcept;
  ~FileLock();

 private:
  FileLock() = default;
  int fd_ = -1;
};

// A fresh folder under the system's temporary folder, removed with its contents on destruction.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const Path& path() const { return path_; }

 private:
  Path path_;
};

}  // namespace fx
