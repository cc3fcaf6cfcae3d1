// The bytes of a model on their way from the aggregator to a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/file.h"

namespace fx::collaborator {

// Takes up a partial file where it ends, and digests every byte that passes. Nothing is forced to
// the disk: a model can be had again. Not thread-safe.
class PartialModel {
 public:
  // `size` is that of the whole model; a file with more bytes is begun anew. Reads what is there.
  static Result<PartialModel> Open(const Path& path, std::uint64_t size);

  std::uint64_t position() const { return position_; }
  bool complete() const { return position_ == size_; }

  // One message; its pieces lie apart in memory. Refuses, with kDataLoss, bytes beyond the end.
  Status Append(std::span<const std::span<const std::byte>> pieces);

  // The XXH3-128 of all bytes, hex.
  std::string FinishDigest() && { return std::move(digest_).FinishHex(); }

 private:
  PartialModel(OutputFile file, std::uint64_t size) : file_(std::move(file)), size_(size) {}

  OutputFile file_;
  std::uint64_t size_;
  std::uint64_t position_ = 0;
  FastDigest digest_;
};

}  // namespace fx::collaborator
