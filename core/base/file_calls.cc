#include "core/base/file_calls.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>

#include "core/base/failpoint.h"
#include "core/base/format.h"

namespace fx::internal {
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

}  // namespace

tl::unexpected<Error> FailOn(std::string_view verb, const Path& path, int error) {
  return Fail(CodeOf(error), format("cannot {} {}: {}", verb, path.string(),
                                    std::generic_category().message(error)));
}

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Fd> OpenFd(std::string_view verb, const Path& shown, const Path& path, int flags,
                  mode_t mode) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return FailOn(verb, shown, errno);
  return Fd(fd);
}

Path FolderOf(const Path& path) {
  const Path folder = path.parent_path();
  return folder.empty() ? Path(".") : folder;
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

Status Rename(const Path& from, const Path& to, std::string_view verb) {
  if (FX_FAILPOINT_FAILS("rename") || ::rename(from.c_str(), to.c_str()) != 0) {
    return FailOn(verb, to, errno);
  }
  FX_FAILPOINT("renamed");
  return Ok();
}

}  // namespace fx::internal
