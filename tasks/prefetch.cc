#include "tasks/prefetch.h"

#include <algorithm>
#include <system_error>

#include "core/base/error.h"
#include "core/tensor/tensor.h"

namespace fx {
namespace {

// Two that large batches take turns in; of small ones more, for to wake a thread costs as much as
// to gather a few of them.
std::size_t SlotsFor(std::size_t floats) {
  constexpr std::size_t kFloats = std::size_t{1} << 18;  // 1 MB
  return std::clamp<std::size_t>(kFloats / std::max<std::size_t>(floats, 1), 2, 8);
}

}  // namespace

Prefetch::Prefetch(const DataSet& data, std::span<const std::uint32_t> order, std::int64_t batch)
    : data_(data),
      order_(order),
      batch_(static_cast<std::size_t>(batch)),
      batches_((order.size() + batch_ - 1) / batch_),
      most_(std::min(batch_, order.size())),
      sample_size_(static_cast<std::size_t>(NumElements(data.sample_shape()))),
      target_size_(static_cast<std::size_t>(NumElements(data.target_shape()))),
      slots_(std::min(batches_, SlotsFor(most_ * (sample_size_ + target_size_)))) {
  for (Slot& slot : slots_) {
    slot.samples.resize(most_ * sample_size_);
    slot.targets.resize(most_ * target_size_);
  }
  if (batches_ < 2) return;
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { GatherAll(stop); });
  } catch (const std::system_error&) {  // too many threads: Next does it
  }
}

// The thread ends before what it uses goes.
Prefetch::~Prefetch() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

std::span<const std::uint32_t> Prefetch::Indices(std::size_t batch) const {
  const std::size_t begin = batch * batch_;
  return order_.subspan(begin, std::min(batch_, order_.size() - begin));
}

void Prefetch::Gather(std::size_t batch) {
  const auto indices = Indices(batch);
  Slot& slot = slots_[batch % slots_.size()];
  data_.Gather(indices, std::span(slot.samples).first(indices.size() * sample_size_),
               std::span(slot.targets).first(indices.size() * target_size_));
}

void Prefetch::GatherAll(const std::stop_token& stop) {
  for (std::size_t batch = 0; batch < batches_; ++batch) {
    if (stop.stop_requested()) return;
    {
      std::unique_lock lock(mutex_);
      if (batch >= returned_ + slots_.size() &&
          !changed_.wait(lock, stop, [&] { return HalfIsFree(); })) {
        return;
      }
    }
    Gather(batch);
    const std::lock_guard lock(mutex_);
    gathered_ = batch + 1;
    changed_.notify_all();
  }
}

bool Prefetch::HalfIsFree() const {
  return gathered_ - returned_ <= slots_.size() / 2;
}

Prefetch::Batch Prefetch::Next() {
  FX_CHECK(next_ < batches_);
  const std::size_t batch = next_++;
  if (thread_.joinable()) {
    std::unique_lock lock(mutex_);
    returned_ = batch;
    if (HalfIsFree()) changed_.notify_all();
    changed_.wait(lock, [&] { return gathered_ > batch; });
  } else {
    Gather(batch);
  }
  const std::size_t size = Indices(batch).size();
  const Slot& slot = slots_[batch % slots_.size()];
  return {.size = static_cast<std::int64_t>(size),
          .samples = std::span(slot.samples).first(size * sample_size_),
          .targets = std::span(slot.targets).first(size * target_size_)};
}

}  // namespace fx
