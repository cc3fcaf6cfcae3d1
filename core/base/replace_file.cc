// AtomicWrite, too, which core/base/file.h declares.
#include "core/base/replace_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "core/base/file_calls.h"
#include "core/base/format.h"

namespace fx {
namespace {

using internal::FailOn;
using internal::Fd;
using internal::FolderOf;
using internal::OpenFd;

// A name next to `path` that nobody else will take.
Path TemporaryNameFor(const Path& path) {
  std::uint64_t number = 0;
  FX_CHECK(::getrandom(&number, sizeof number, 0) == sizeof number);
  return FolderOf(path) / format(".{}.{:016x}.tmp", path.filename().string(), number);
}

// Gives a new file what `old`, whose place it takes, had.
Status TakeAfter(int fd, const Path& path, const struct stat& old) {
  struct stat now = {};
  if (::fstat(fd, &now) != 0) return FailOn("write", path, errno);
  const bool ours = now.st_uid == old.st_uid && now.st_gid == old.st_gid;
  if (!ours && ::fchown(fd, old.st_uid, old.st_gid) != 0) {
    return Fail(Error(ErrorCode::kPermissionDenied,
                      format("cannot write {}: it belongs to user {} and group {}, and user {} may "
                             "not give them a file: {}",
                             path.string(), old.st_uid, old.st_gid, ::geteuid(),
                             std::generic_category().message(errno)))
                    .Hint(format("give the command as user {} (runuser -u, sudo -u) or as root",
                                 old.st_uid)));
  }
  constexpr mode_t kPermissions = 0777;
  if (::fchmod(fd, old.st_mode & kPermissions) != 0) return FailOn("write", path, errno);
  return Ok();
}

Status WriteTemporary(const Path& temporary, const Path& path, std::string_view bytes,
                      FileMode mode, Survive survive, const std::optional<struct stat>& old) {
  const Fd fd = TRY(OpenFd("write", path, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                           static_cast<mode_t>(old ? FileMode::kPrivate : mode)));
  if (old) TRY(TakeAfter(fd.get(), path, *old));
  TRY(internal::WriteAllAt(fd.get(), path, 0, AsBytes(bytes)));
  return survive == Survive::kPowerCut ? internal::SyncFd(fd.get(), path) : Ok();
}

Status Write(const Path& path, std::string_view bytes, FileMode mode, Survive survive,
             const std::optional<struct stat>& old) {
  const Path temporary = TemporaryNameFor(path);
  Status written = WriteTemporary(temporary, path, bytes, mode, survive, old);
  if (written) written = internal::Rename(temporary, path, "write");
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  return survive == Survive::kPowerCut ? SyncFolder(FolderOf(path)) : Ok();
}

bool IsLink(const Path& path, struct stat& found) {
  return ::lstat(path.c_str(), &found) == 0 && S_ISLNK(found.st_mode);
}

// Where the link says, if it can be read.
Path TargetOf(const Path& link) {
  std::error_code ignored;
  return std::filesystem::read_symlink(link, ignored);
}

tl::unexpected<Error> LeadsToNoFile(const Path& link, int error) {
  if (error != ENOENT && error != ELOOP) return FailOn("write", link, error);
  return Fail(
      Error(ErrorCode::kFailedPrecondition,
            format("cannot write {}: it is a symbolic link to {}, which leads {}", link.string(),
                   TargetOf(link).string(), error == ENOENT ? "to no file" : "in a circle"))
          .Hint("let the link lead to a file, or remove it"));
}

// As the kernel's protected_symlinks, for folders of any kind.
Status MayFollow(const Path& link, const struct stat& found, const struct stat& file) {
  const uid_t owner = found.st_uid;
  if (owner == 0 || owner == ::geteuid() || owner == file.st_uid) return Ok();
  return Fail(Error(ErrorCode::kPermissionDenied,
                    format("cannot write {}: it is a symbolic link of user {} to a file of user "
                           "{}, and is not followed for user {}",
                           link.string(), owner, file.st_uid, ::geteuid()))
                  .Hint(format("if it is as it should be, make the link root's: chown -h root {}",
                               link.string())));
}

bool IsMountedByItself(const Path& path) {
  struct statx found = {};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &found) != 0) return false;
  return S_ISREG(found.stx_mode) && (found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

bool IsReadOnly(const Path& folder) {
  struct statvfs found = {};
  return ::statvfs(folder.c_str(), &found) == 0 && (found.f_flag & ST_RDONLY) != 0;
}

// Why no file can take the place of this one, where a container's mounts are the reason; else as
// the system said it.
Error Explained(Error error, const Path& path) {
  if (IsMountedByItself(path)) {
    return Error(ErrorCode::kFailedPrecondition,
                 format("cannot write {}: the file is mounted here by itself, so no other can take "
                        "its place",
                        path.string()))
        .Hint(
            "change it where it comes from (the machine's own file, the ConfigMap), or mount the "
            "folder it lies in instead of the file");
  }
  if (!IsReadOnly(FolderOf(path))) return error;
  return std::move(error).Hint(
      "its folder is mounted read-only: change the file where it comes from (the machine's own "
      "folder, the ConfigMap)");
}

}  // namespace

Status AtomicWrite(const Path& path, std::string_view bytes, FileMode mode, Survive survive) {
  return Write(path, bytes, mode, survive, std::nullopt);
}

Result<Path> FollowLinks(const Path& path) {
  struct stat link = {};
  if (!IsLink(path, link)) return path;
  struct stat file = {};
  if (::stat(path.c_str(), &file) != 0) return LeadsToNoFile(path, errno);
  constexpr int kMostLinks = 40;  // as many as the kernel follows
  Path end = path;
  for (int i = 0; i < kMostLinks && IsLink(end, link); ++i) {
    TRY(MayFollow(end, link, file));
    end = FolderOf(end) / TargetOf(end);  // an absolute target replaces the folder
  }
  return end;
}

Status ReplaceFile(const Path& link, std::string_view bytes) {
  const Path path = TRY(FollowLinks(link));
  std::optional<struct stat> old;
  struct stat found = {};
  if (::stat(path.c_str(), &found) == 0) {
    old = found;
  } else if (errno != ENOENT) {
    return FailOn("write", path, errno);
  }
  const Status written = Write(path, bytes, FileMode::kPublic, Survive::kPowerCut, old);
  if (written) return Ok();
  return Fail(Explained(written.error(), path));
}

Status ReplaceBy(const Path& next, const Path& path) {
  struct stat old = {};
  if (::stat(path.c_str(), &old) == 0) {
    static_cast<void>(::lchown(next.c_str(), old.st_uid, old.st_gid) == 0);
  }
  return RenameDurably(next, path);
}

Result<FolderLock> FolderLock::Acquire(const Path& folder, std::chrono::milliseconds patience) {
  constexpr auto kEvery = std::chrono::milliseconds(10);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  Fd fd = TRY(OpenFd("lock", folder, O_RDONLY | O_DIRECTORY));
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return FailOn("lock", folder, errno);
    if (std::chrono::steady_clock::now() >= deadline) {
      return Fail(Error(ErrorCode::kAborted,
                        format("another command is changing files in {}", folder.string()))
                      .Hint(format("see which one with: fuser -v {}", folder.string())));
    }
    std::this_thread::sleep_for(kEvery);
  }
  return FolderLock(fd.release());
}

FolderLock::FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace fx
