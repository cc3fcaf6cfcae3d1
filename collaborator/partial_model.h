// The bytes of a model on their way from the aggregator to a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/partial_file.h"

namespace fx::collaborator {

// Takes up a partial file where it ends, and digests every byte that passes. Nothing is forced to
// the disk: a model can be had again. Not thread-safe.
class PartialModel {
 public:
  // `size` is that of the whole model. Reads what is there.
  static Result<PartialModel> Open(const Path& path, std::uint64_t size);

  std::uint64_t position() const { return file_.position(); }
  bool complete() const { return file_.complete(); }

  // One message; its pieces lie apart in memory. Refuses, with kDataLoss, bytes beyond the end.
  Status Append(std::span<const std::span<const std::byte>> pieces);

  // Once, when complete: the file is the model, and its XXH3-128, hex, this.
  Result<std::string> Finish();

 private:
  PartialModel(PartialFile file, std::uint64_t size) : file_(std::move(file)), size_(size) {}

  PartialFile file_;
  std::uint64_t size_;
  FastDigest digest_;
};

}  // namespace fx::collaborator
