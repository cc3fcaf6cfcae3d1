// A file made by several threads, block by block, and consumed in order by one.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "core/base/error.h"

namespace fx::aggregator {

// Cuts [0, size) into blocks of `block_size` (the last may be smaller). `make` fills blocks on
// `threads` workers, in any order and several at once; `consume` is called on the caller's thread,
// for one block after the other. Both can end the whole with an error; that of the first block in
// order counts. At most 2 * threads + 2 blocks are in memory. Buffers are 4-byte aligned.
class BlockPipeline {
 public:
  using Make = std::function<Status(std::uint64_t offset, std::span<std::byte> block)>;
  using Consume = std::function<Status(std::uint64_t offset, std::span<const std::byte> block)>;

  BlockPipeline(std::uint64_t size, std::size_t block_size, int threads);

  // Blocks until every block was consumed or one was refused. Call once.
  Status Run(const Make& make, const Consume& consume);

 private:
  struct Slot {
    std::vector<float> buffer;
    Status made = Ok();
    bool full = false;
  };
  void Work(const Make& make);
  bool Claim(std::uint64_t& index);
  std::span<std::byte> BufferOf(std::uint64_t index);

  const std::uint64_t size_;
  const std::size_t block_size_;
  const std::uint64_t blocks_;
  const int threads_;

  std::mutex mutex_;  // guards what follows; the buffer of a claimed slot is its worker's
  std::condition_variable changed_;
  std::vector<Slot> slots_;
  std::uint64_t next_ = 0;   // the next block to make
  std::uint64_t taken_ = 0;  // blocks consumed
  bool stopped_ = false;
};

}  // namespace fx::aggregator
