// What the files of core/base that write to the disk have in common: descriptors that close
// themselves, system calls that are tried again, and errors that name the path. Not for others.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx::internal {

// "cannot write save/init.pbuf: No space left on device"; `error` is an errno.
tl::unexpected<Error> FailOn(std::string_view verb, const Path& path, int error);

// A file descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&&) = delete;
  ~Fd();
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Errors name `shown`, the path the reader knows.
Result<Fd> OpenFd(std::string_view verb, const Path& shown, const Path& path, int flags,
                  mode_t mode = 0);
inline Result<Fd> OpenFd(std::string_view verb, const Path& path, int flags, mode_t mode = 0) {
  return OpenFd(verb, path, path, flags, mode);
}

Path FolderOf(const Path& path);

iovec PartOf(std::span<const std::byte> bytes);
Status WriteAllAt(int fd, const Path& path, std::uint64_t offset, std::span<iovec> parts);
Status WriteAllAt(int fd, const Path& path, std::uint64_t offset, std::span<const std::byte> bytes);
Status SyncFd(int fd, const Path& path);
Status Rename(const Path& from, const Path& to, std::string_view verb);

}  // namespace fx::internal
