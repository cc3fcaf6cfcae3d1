// Looks at the bytes of an update as they pass, so that a file that has passed whole is a model
// file of the federation with finite values in it, and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "aggregator/server/upload_judge.h"
#include "core/base/error.h"

namespace fx::aggregator {

// Fed with consecutive pieces of any size. Holds less than one element between them. Not
// thread-safe.
class UpdateScan {
 public:
  // `rules` must outlive the scan.
  explicit UpdateScan(const UploadRules& rules) : rules_(rules) {}

  // Refuses, with kInvalidArgument: bytes beyond the end, a header or padding that is not the
  // layout's, and a value that is NaN or infinite, naming its tensor and index.
  Status Feed(std::span<const std::byte> bytes);

  std::uint64_t position() const { return position_; }
  bool complete() const { return position_ == rules_.map.size; }

 private:
  struct Region {
    enum class Kind { kHeader, kPadding, kTensor } kind;
    std::uint64_t begin, end;
  };
  Region CurrentRegion();
  Status Check(const Region& region, std::span<const std::byte> bytes);
  Status CheckFloats(const Region& region, std::span<const std::byte> bytes);
  Status CheckBlock(std::uint64_t offset, std::span<const float> values) const;

  const UploadRules& rules_;
  std::uint64_t position_ = 0;
  std::size_t tensor_ = 0;          // the one at, or after, position_
  std::vector<std::byte> partial_;  // the first bytes of an element cut in two
};

}  // namespace fx::aggregator
