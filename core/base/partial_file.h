// A file whose bytes come one after the other, and may stop coming at any of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

// Grows to a size that is known from the start. While it does, a mark behind the last byte says how
// many have come, so that a later process goes on from there; Finish takes the mark away. A file
// without one has as many as it is long. After a power cut the mark may promise bytes that are not
// there: a digest of all of them has to follow.
//
// It need not begin as a new file: one of the same size that nobody needs any more can lend its
// place (Reuse). The kernel then has no memory and no blocks to find, and writes at a third of the
// cost. Move-only, not thread-safe.
class PartialFile {
 public:
  // Creates it if need be. With kPowerCut the disk is given the bytes while they come, so that
  // Finish has little to wait for.
  static Result<PartialFile> Open(const Path& path, std::uint64_t size, FileMode mode,
                                  Survive survive);

  // Makes `spare` the partial file `path` of which no byte has come. The spare's bytes are lost;
  // whoever still has it mapped sees them change.
  static Status Reuse(const Path& spare, const Path& path, std::uint64_t size);

  std::uint64_t position() const { return position_; }
  bool complete() const { return position_ == size_; }

  // Pieces that lie apart in memory. Checked: they are no more than what is missing.
  Status Append(std::span<const std::span<const std::byte>> pieces);

  // Forgets what has come.
  Status StartAgain();

  // Once, when complete: the file is its bytes and nothing else, fsynced with kPowerCut.
  Status Finish();

 private:
  PartialFile(OutputFile file, std::uint64_t size, Survive survive)
      : file_(std::move(file)), size_(size), survive_(survive) {}
  Status Mark();

  OutputFile file_;
  std::uint64_t size_;
  Survive survive_;
  std::uint64_t position_ = 0;
  std::uint64_t on_its_way_ = 0;  // to the disk: all bytes below
};

}  // namespace fx
