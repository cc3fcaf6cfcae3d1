// Gathers the next batches of a pass over a data set while the one before is worked on.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <stop_token>
#include <thread>
#include <vector>

#include "tasks/data_loader.h"

namespace fx {

// For one thread. What it gives does not depend on timing.
class Prefetch {
 public:
  // Goes through `order`, which are indices of `data`, in batches of `batch` samples, the last one
  // with what is left. Both outlive this. A pass of one batch is gathered by Next itself, as are
  // all where no thread can be had.
  Prefetch(const DataSet& data, std::span<const std::uint32_t> order, std::int64_t batch);
  ~Prefetch();
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  struct Batch {
    std::int64_t size = 0;
    std::span<const float> samples, targets;  // [size, sample] and [size, target]
  };
  // Valid until the next call. There are as many as the order has; waits until it is gathered.
  Batch Next();

 private:
  struct Slot {
    std::vector<float> samples, targets;
  };
  std::span<const std::uint32_t> Indices(std::size_t batch) const;
  void Gather(std::size_t batch);
  // The thread sleeps until then once all slots are full, or each batch would wake it.
  bool HalfIsFree() const;
  void GatherAll(const std::stop_token& stop);

  const DataSet& data_;
  const std::span<const std::uint32_t> order_;
  const std::size_t batch_, batches_, most_, sample_size_, target_size_;
  std::vector<Slot> slots_;  // batch b goes to b modulo their number
  std::size_t next_ = 0;     // of the caller

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t gathered_ = 0;  // batches that are ready or were
  std::size_t returned_ = 0;  // batches whose slot is free again
  std::jthread thread_;       // the last member: it uses the others
};

}  // namespace fx
