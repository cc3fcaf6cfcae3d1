// A limit on how many bytes pass in a time, as a function of what passed and when. No clock inside.
#pragma once

#include <algorithm>
#include <cstdint>

namespace fx::collaborator {

// Tokens are bytes: they come at `bytes_per_second`, and a quarter of a second's worth is kept for
// when nothing passes. Bytes that have passed already may leave a debt, which the next ones wait
// for; so over any stretch of time no more than rate x time + the burst + one piece passes.
class TokenBucket {
 public:
  explicit TokenBucket(std::uint64_t bytes_per_second)
      : rate_(static_cast<double>(bytes_per_second)), burst_(rate_ / 4), tokens_(burst_) {}

  // `bytes` passed at `now_us` (of a clock that never goes backwards): the microseconds until more
  // may.
  std::int64_t Take(std::uint64_t bytes, std::int64_t now_us) {
    if (last_us_ != kNever) {
      tokens_ += rate_ * static_cast<double>(now_us - last_us_) / 1e6;
      tokens_ = std::min(tokens_, burst_);
    }
    last_us_ = now_us;
    tokens_ -= static_cast<double>(bytes);
    return tokens_ >= 0 ? 0 : static_cast<std::int64_t>(-tokens_ / rate_ * 1e6) + 1;
  }

 private:
  static constexpr std::int64_t kNever = INT64_MIN;

  double rate_;
  double burst_;
  double tokens_;
  std::int64_t last_us_ = kNever;
};

}  // namespace fx::collaborator
