#include "aggregator/server/update_scan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "core/base/format.h"
#include "rpc/convert.h"

namespace fx::aggregator {
namespace {

constexpr std::size_t kBlock = 4096;  // floats looked at together; they fit the first-level cache

}  // namespace

Status UpdateScan::Feed(std::span<const std::byte> bytes) {
  if (bytes.size() > rules_.map.size - position_) {
    return Fail(ErrorCode::kInvalidArgument,
                format("more bytes came than the {} that were announced", rules_.map.size));
  }
  while (!bytes.empty()) {
    const Region region = CurrentRegion();
    const auto n =
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), region.end - position_));
    TRY(Check(region, bytes.first(n)));
    position_ += n;
    bytes = bytes.subspan(n);
  }
  return Ok();
}

UpdateScan::Region UpdateScan::CurrentRegion() {
  using Kind = Region::Kind;
  const ModelFileMap& map = rules_.map;
  if (position_ < map.data_begin) return {.kind = Kind::kHeader, .begin = 0, .end = map.data_begin};
  for (; tensor_ < map.offsets.size(); ++tensor_) {
    const std::uint64_t begin = map.offsets[tensor_];
    const std::uint64_t end = begin + rules_.layout[tensor_].byte_size();
    if (position_ < begin) return {.kind = Kind::kPadding, .begin = position_, .end = begin};
    if (position_ < end) return {.kind = Kind::kTensor, .begin = begin, .end = end};
  }
  return {.kind = Kind::kPadding, .begin = position_, .end = map.size};
}

Status UpdateScan::Check(const Region& region, std::span<const std::byte> bytes) {
  switch (region.kind) {
    case Region::Kind::kHeader:
      if (std::memcmp(bytes.data(), rules_.header.data() + position_, bytes.size()) == 0) {
        return Ok();
      }
      return Fail(ErrorCode::kInvalidArgument,
                  "the update does not begin with the header that was announced");
    case Region::Kind::kPadding:
      if (std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; })) return Ok();
      return Fail(ErrorCode::kInvalidArgument, "the update has stray bytes between its tensors");
    case Region::Kind::kTensor:
      break;
  }
  return CheckFloats(region, bytes);
}

Status UpdateScan::CheckFloats(const Region& region, std::span<const std::byte> bytes) {
  std::uint64_t offset = position_ - region.begin - partial_.size();
  alignas(64) std::array<float, kBlock> block;
  const auto take = [&](std::span<std::byte> to) {
    const std::size_t old = partial_.size();
    std::ranges::copy(partial_, to.begin());
    std::memcpy(to.data() + old, bytes.data(), to.size() - old);
    bytes = bytes.subspan(to.size() - old);
    partial_.clear();
  };
  while (partial_.size() + bytes.size() >= sizeof(float)) {
    const std::size_t n = std::min(kBlock, (partial_.size() + bytes.size()) / sizeof(float));
    const std::span<float> values(block.data(), n);
    take(std::as_writable_bytes(values));
    TRY(CheckBlock(offset, values));
    offset += values.size_bytes();
  }
  partial_.insert(partial_.end(), bytes.begin(), bytes.end());
  return Ok();
}

Status UpdateScan::CheckBlock(std::uint64_t offset, std::span<const float> values) const {
  const std::ptrdiff_t bad = FindNonFinite(values);
  if (bad < 0) return Ok();
  const auto index = static_cast<std::size_t>(bad);
  return Fail(
      Error(ErrorCode::kInvalidArgument,
            format("tensor {} is {} at element {}", Quoted(rules_.layout[tensor_].name),
                   std::isnan(values[index]) ? "NaN" : "infinite", offset / sizeof(float) + index))
          .Hint("the training has diverged: a lower learning rate may help"));
}

}  // namespace fx::aggregator
