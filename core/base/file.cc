#include "core/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

#include "core/base/failpoint.h"
#include "core/base/format.h"

namespace fx {
namespace {

ErrorCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
      return ErrorCode::kNotFound;
    case EEXIST:
      return ErrorCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorCode::kResourceExhausted;
    case EIO:
      return ErrorCode::kDataLoss;
    default:
      return ErrorCode::kFailedPrecondition;
  }
}

// "cannot write save/init.pbuf: No space left on device"
tl::unexpected<Error> FailOn(std::string_view verb, const Path& path, int error) {
  return Fail(CodeOf(error), format("cannot {} {}: {}", verb, path.string(),
                                    std::generic_category().message(error)));
}

// A file descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Errors name `shown`, the path the reader knows.
Result<Fd> OpenFd(std::string_view verb, const Path& shown, const Path& path, int flags,
                  mode_t mode = 0) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return FailOn(verb, shown, errno);
  return Fd(fd);
}
Result<Fd> OpenFd(std::string_view verb, const Path& path, int flags, mode_t mode = 0) {
  return OpenFd(verb, path, path, flags, mode);
}

Path FolderOf(const Path& path) {
  const Path folder = path.parent_path();
  return folder.empty() ? Path(".") : folder;
}

// What is left of `parts` when their first `n` bytes were written.
std::span<iovec> DropWritten(std::span<iovec> parts, std::size_t n) {
  while (!parts.empty() && n >= parts.front().iov_len) {
    n -= parts.front().iov_len;
    parts = parts.subspan(1);
  }
  if (n > 0) {
    parts.front().iov_base = static_cast<std::byte*>(parts.front().iov_base) + n;
    parts.front().iov_len -= n;
  }
  return parts;
}

Status WriteAllAt(int fd, const Path& path, std::uint64_t offset, std::span<iovec> parts) {
  if (FX_FAILPOINT_WRITE("write", [&] {
        const iovec half{.iov_base = parts[0].iov_base, .iov_len = parts[0].iov_len / 2};
        (void)::pwritev(fd, &half, 1, static_cast<off_t>(offset));
      })) {
    return FailOn("write", path, errno);
  }
  while (!parts.empty()) {
    const auto count = static_cast<int>(std::min<std::size_t>(parts.size(), IOV_MAX));
    const ssize_t n = ::pwritev(fd, parts.data(), count, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailOn("write", path, errno);
    offset += static_cast<std::uint64_t>(n);
    parts = DropWritten(parts, static_cast<std::size_t>(n));
  }
  return Ok();
}

iovec PartOf(std::span<const std::byte> bytes) {
  return {.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
}

Status WriteAllAt(int fd, const Path& path, std::uint64_t offset,
                  std::span<const std::byte> bytes) {
  iovec part = PartOf(bytes);
  return WriteAllAt(fd, path, offset, {&part, 1});
}

Status SyncFd(int fd, const Path& path) {
  if (FX_FAILPOINT_FAILS("fsync") || ::fsync(fd) != 0) return FailOn("write", path, errno);
  return Ok();
}

struct flock WholeFile(short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

// A name next to `path` that nobody else will take.
Path TemporaryNameFor(const Path& path) {
  std::uint64_t number = 0;
  FX_CHECK(::getrandom(&number, sizeof number, 0) == sizeof number);
  return FolderOf(path) / format(".{}.{:016x}.tmp", path.filename().string(), number);
}

Status WriteTemporary(const Path& temporary, const Path& path, std::string_view bytes,
                      FileMode mode, Survive survive) {
  const Fd fd = TRY(OpenFd("write", path, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                           static_cast<mode_t>(mode)));
  TRY(WriteAllAt(fd.get(), path, 0, AsBytes(bytes)));
  return survive == Survive::kPowerCut ? SyncFd(fd.get(), path) : Ok();
}

Status Rename(const Path& from, const Path& to, std::string_view verb) {
  if (FX_FAILPOINT_FAILS("rename") || ::rename(from.c_str(), to.c_str()) != 0) {
    return FailOn(verb, to, errno);
  }
  FX_FAILPOINT("renamed");
  return Ok();
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

Status AtomicWrite(const Path& path, std::string_view bytes, FileMode mode, Survive survive) {
  const Path temporary = TemporaryNameFor(path);
  Status written = WriteTemporary(temporary, path, bytes, mode, survive);
  if (written) written = Rename(temporary, path, "write");
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  return survive == Survive::kPowerCut ? SyncFolder(FolderOf(path)) : Ok();
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
