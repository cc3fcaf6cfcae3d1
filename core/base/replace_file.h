// Changes files that people own, from commands that another user may give: root adds a collaborator
// to a list that belongs to the service's user, and the service must be able to read it afterwards.
#pragma once

#include <chrono>
#include <string_view>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

// The file that `path` leads to through symbolic links, or `path` itself, which need not be there.
// Refuses, with kFailedPrecondition, links that lead nowhere or in a circle, and, with
// kPermissionDenied, a link that belongs neither to the caller, nor to root, nor to the owner of
// the file: who may write into a folder could have root change any file of the machine.
Result<Path> FollowLinks(const Path& path);

// As AtomicWrite, but a symbolic link stays one, and the file it leads to (FollowLinks) is replaced
// where that lies. Also, a file that is there keeps its owner, its group and its permission bits; a
// new one is FileMode::kPublic. Refuses, with kPermissionDenied, where they cannot be kept. Says so
// where the file, or its folder, is mounted in a way that it cannot be replaced (containers do).
// Whatever it refuses, the old file is there as it was.
Status ReplaceFile(const Path& path, std::string_view bytes);

// RenameDurably of `next` to `path`; `next` gets the owner and group of the file whose place it
// takes, if the caller may give it away. It takes the place of a link, too: the two files may lie
// on different disks.
Status ReplaceBy(const Path& next, const Path& path);

// Held while a file of a folder is read, judged and replaced, so that of two commands at once
// neither undoes what the other did. It is on the folder itself, for which FileLock does not do: a
// file for it would stay behind among a person's own, and belong to whoever happened to be first.
class FolderLock {
 public:
  // Waits for others for as long as `patience`; then refuses, with kAborted.
  static Result<FolderLock> Acquire(const Path& folder,
                                    std::chrono::milliseconds patience = std::chrono::seconds(10));
  FolderLock(FolderLock&&) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace fx
