#include "aggregator/block_pipeline.h"

#include <algorithm>
#include <thread>

namespace fx::aggregator {

BlockPipeline::BlockPipeline(std::uint64_t size, std::size_t block_size, int threads)
    : size_(size),
      block_size_(block_size),
      blocks_((size + block_size - 1) / block_size),
      threads_(std::max(1, threads)) {
  FX_CHECK(block_size % sizeof(float) == 0);
  const auto slots = std::min<std::uint64_t>(2 * static_cast<std::uint64_t>(threads_) + 2, blocks_);
  slots_.resize(slots);
  for (Slot& slot : slots_) slot.buffer.resize(block_size / sizeof(float));
}

Status BlockPipeline::Run(const Make& make, const Consume& consume) {
  std::vector<std::jthread> workers;
  for (int i = 0; i < threads_; ++i) workers.emplace_back([&] { Work(make); });
  Status status = Ok();
  for (std::uint64_t index = 0; status && index < blocks_; ++index) {
    Slot& slot = slots_[index % slots_.size()];
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return slot.full; });
    lock.unlock();
    status = slot.made;
    if (status) status = consume(index * block_size_, BufferOf(index));
    lock.lock();
    slot.full = false;
    ++taken_;
    stopped_ = !status;
    lock.unlock();
    changed_.notify_all();
  }
  return status;
}

void BlockPipeline::Work(const Make& make) {
  for (std::uint64_t index = 0; Claim(index);) {
    Status made = make(index * block_size_, BufferOf(index));
    {
      const std::lock_guard lock(mutex_);
      slots_[index % slots_.size()].made = std::move(made);
      slots_[index % slots_.size()].full = true;
    }
    changed_.notify_all();
  }
}

// Blocks are claimed in order, so the oldest unfinished one always has its slot: no deadlock.
bool BlockPipeline::Claim(std::uint64_t& index) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock,
                [&] { return stopped_ || next_ == blocks_ || next_ < taken_ + slots_.size(); });
  if (stopped_ || next_ == blocks_) return false;
  index = next_++;
  return true;
}

std::span<std::byte> BlockPipeline::BufferOf(std::uint64_t index) {
  const std::uint64_t size = std::min<std::uint64_t>(block_size_, size_ - index * block_size_);
  return std::as_writable_bytes(std::span(slots_[index % slots_.size()].buffer)).first(size);
}

}  // namespace fx::aggregator
