#include "core/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/base/failpoint.h"
#include "core/base/file_calls.h"
#include "core/base/format.h"

namespace fx {
namespace {

using internal::FailOn;
using internal::Fd;
using internal::FolderOf;
using internal::OpenFd;
using internal::PartOf;
using internal::Rename;
using internal::SyncFd;
using internal::WriteAllAt;

struct flock WholeFile(short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

Result<struct stat> Stat(const Path& path) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0) return FailOn("read", path, errno);
  return info;
}

tl::unexpected<Error> TooLarge(const Path& path, std::uint64_t limit) {
  return Fail(ErrorCode::kResourceExhausted,
              format("cannot read {}: it is larger than {} bytes", path.string(), limit));
}

}  // namespace

Result<std::string> ReadFile(const Path& path, std::uint64_t limit) {
  const Fd fd = TRY(OpenFd("read", path, O_RDONLY));
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) return FailOn("read", path, errno);
  const auto expected = static_cast<std::uint64_t>(std::max<off_t>(info.st_size, 0));
  if (expected > limit) return TooLarge(path, limit);

  // One byte more than expected, so that the end is seen without a second, larger buffer.
  std::string text(expected + 1, '\0');
  std::size_t used = 0;
  for (;;) {
    if (used == text.size()) text.resize(2 * text.size());
    const ssize_t n = ::read(fd.get(), text.data() + used, text.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailOn("read", path, errno);
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
    if (used > limit) return TooLarge(path, limit);
  }
  text.resize(used);
  return text;
}

Status RenameFile(const Path& from, const Path& to) {
  return Rename(from, to, format("rename {} to", from.string()));
}

Status RenameDurably(const Path& from, const Path& to) {
  TRY(RenameFile(from, to));
  return SyncFolder(FolderOf(to));
}

Status SyncFolder(const Path& folder) {
  const Fd fd = TRY(OpenFd("open folder", folder, O_RDONLY | O_DIRECTORY));
  if (FX_FAILPOINT_FAILS("folder_fsync") || ::fsync(fd.get()) != 0) {
    return FailOn("sync folder", folder, errno);
  }
  return Ok();
}

Status MakeFolders(const Path& path, unsigned mode) {
  Path folder;
  for (const Path& part : path) {
    folder /= part;
    if (::mkdir(folder.c_str(), static_cast<mode_t>(mode)) == 0) {
      TRY(SyncFolder(FolderOf(folder)));
      continue;
    }
    const int error = errno;
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored)) {
      return FailOn("make folder", folder, error == EEXIST ? ENOTDIR : error);
    }
  }
  return Ok();
}

bool Exists(const Path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

Status RemoveIfExists(const Path& path) {
  FX_FAILPOINT("remove");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return FailOn("remove", path, errno);
  return Ok();
}

Result<std::uint64_t> FileSize(const Path& path) {
  const struct stat info = TRY(Stat(path));
  if (!S_ISREG(info.st_mode)) {
    return Fail(ErrorCode::kFailedPrecondition,
                format("cannot read {}: it is not a file", path.string()));
  }
  return static_cast<std::uint64_t>(info.st_size);
}

Result<std::vector<Path>> ListFolder(const Path& path) {
  std::error_code error;
  std::filesystem::directory_iterator entry(path, error);
  std::vector<Path> names;
  while (!error && entry != std::filesystem::directory_iterator()) {
    names.push_back(entry->path());
    entry.increment(error);
  }
  if (error) return FailOn("list folder", path, error.value());
  std::ranges::sort(names);
  return names;
}

Result<MappedFile> MappedFile::Open(const Path& path) {
  const Fd fd = TRY(OpenFd("read", path, O_RDONLY));
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) return FailOn("read", path, errno);
  if (!S_ISREG(info.st_mode)) {
    return Fail(ErrorCode::kFailedPrecondition,
                format("cannot read {}: it is not a file", path.string()));
  }
  MappedFile file;
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) return file;
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) return FailOn("map", path, errno);
  file.bytes_ = {static_cast<const std::byte*>(memory), size};
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

Result<InputFile> InputFile::Open(const Path& path) {
  InputFile file;
  file.fd_ = TRY(OpenFd("read", path, O_RDONLY)).release();
  file.path_ = path;
  return file;
}

InputFile::InputFile(InputFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status InputFile::ReadAt(std::uint64_t offset, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t n = ::pread(fd_, to.data(), to.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailOn("read", path_, errno);
    if (n == 0) {
      return Fail(ErrorCode::kDataLoss, format("cannot read {}: it ends before byte {}",
                                               path_.string(), offset + to.size()));
    }
    offset += static_cast<std::uint64_t>(n);
    to = to.subspan(static_cast<std::size_t>(n));
  }
  return Ok();
}

Result<OutputFile> OutputFile::Open(const Path& path, Existing existing, FileMode mode) {
  const int truncate = existing == Existing::kTruncate ? O_TRUNC : 0;
  Fd fd = TRY(OpenFd("write", path, O_WRONLY | O_CREAT | truncate, static_cast<mode_t>(mode)));
  // An older file of that name may be readable by more than the caller asked for.
  if (mode != FileMode::kPublic && ::fchmod(fd.get(), static_cast<mode_t>(mode)) != 0) {
    return FailOn("restrict", path, errno);
  }
  OutputFile file;
  file.fd_ = fd.release();
  file.path_ = path;
  return file;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

OutputFile& OutputFile::operator=(OutputFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

OutputFile::~OutputFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status OutputFile::WriteAt(std::uint64_t offset, std::span<const std::byte> bytes) {
  return WriteAllAt(fd_, path_, offset, bytes);
}

Status OutputFile::WriteAt(std::uint64_t offset,
                           std::span<const std::span<const std::byte>> pieces) {
  std::vector<iovec> parts;
  parts.reserve(pieces.size());
  for (const auto& piece : pieces) parts.push_back(PartOf(piece));
  return WriteAllAt(fd_, path_, offset, parts);
}

void OutputFile::BeginWriteback(std::uint64_t offset, std::uint64_t size) const {
  (void)::sync_file_range(fd_, static_cast<off_t>(offset), static_cast<off_t>(size),
                          SYNC_FILE_RANGE_WRITE);
}

Status OutputFile::Resize(std::uint64_t size) {
  FX_FAILPOINT("resize");
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return FailOn("resize", path_, errno);
  return Ok();
}

Status OutputFile::Sync() {
  return SyncFd(fd_, path_);
}

Result<FileLock> FileLock::Acquire(const Path& path) {
  Fd fd = TRY(OpenFd("lock", path, O_RDWR | O_CREAT, 0600));
  // Of the open file, not of the process as POSIX's older locks; and unlike flock's it can be asked
  // for without being taken.
  struct flock whole = WholeFile(F_WRLCK);
  const int rc = ::fcntl(fd.get(), F_OFD_SETLK, &whole);
  if (rc != 0 && (errno == EAGAIN || errno == EACCES)) {
    return Fail(Error(ErrorCode::kFailedPrecondition,
                      format("cannot lock {}: another process holds it", path.string()))
                    .Hint(format("see which one with: fuser -v {}", path.string())));
  }
  if (rc != 0) return FailOn("lock", path, errno);
  FileLock lock;
  lock.fd_ = fd.release();
  return lock;
}

Result<bool> FileLock::IsHeld(const Path& path) {
  const auto fd = OpenFd("look at the lock", path, O_RDONLY);
  if (!fd && fd.error().code() == ErrorCode::kNotFound) return false;
  if (!fd) return Fail(fd.error());
  struct flock whole = WholeFile(F_WRLCK);
  if (::fcntl(fd->get(), F_OFD_GETLK, &whole) != 0) return FailOn("look at the lock", path, errno);
  return whole.l_type != F_UNLCK;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

TempDir::TempDir() {
  std::error_code error;
  std::string pattern = (std::filesystem::temp_directory_path(error) / "fx-XXXXXX").string();
  FX_CHECK(!error && ::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace fx
