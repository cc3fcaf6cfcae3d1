#include "tasks/prefetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <thread>
#include <vector>

#include "core/base/random.h"

namespace fx {
namespace {

// Sample i is {i, -i}, its target 10 i.
class Numbers final : public DataSet {
 public:
  std::int64_t size() const override { return 100; }
  const Shape& sample_shape() const override { return sample_shape_; }
  const Shape& target_shape() const override { return target_shape_; }
  void Gather(std::span<const std::uint32_t> indices, std::span<float> samples,
              std::span<float> targets) const override {
    gatherer_ = std::this_thread::get_id();
    EXPECT_EQ(samples.size(), 2 * indices.size());
    EXPECT_EQ(targets.size(), indices.size());
    for (std::size_t i = 0; i < indices.size(); ++i) {
      samples[2 * i] = static_cast<float>(indices[i]);
      samples[2 * i + 1] = -static_cast<float>(indices[i]);
      targets[i] = 10 * static_cast<float>(indices[i]);
    }
  }
  // To be asked after Next only.
  std::thread::id gatherer() const { return gatherer_; }

 private:
  const Shape sample_shape_ = {2}, target_shape_;
  mutable std::thread::id gatherer_;
};

void ExpectBatch(const Prefetch::Batch& batch, std::span<const std::uint32_t> indices) {
  ASSERT_EQ(batch.size, std::ssize(indices));
  ASSERT_EQ(batch.samples.size(), 2 * indices.size());
  ASSERT_EQ(batch.targets.size(), indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) {
    EXPECT_EQ(batch.samples[2 * i], static_cast<float>(indices[i]));
    EXPECT_EQ(batch.samples[2 * i + 1], -static_cast<float>(indices[i]));
    EXPECT_EQ(batch.targets[i], 10 * static_cast<float>(indices[i]));
  }
}

TEST(Prefetch, GivesAllBatchesInOrderTheLastOneSmaller) {
  const Numbers data;
  const std::vector<std::uint32_t> order = Permutation(100, RandomStream(1, "prefetch"));
  for (const std::size_t size : {1U, 7U, 50U, 99U, 100U, 1000U}) {
    Prefetch batches(data, order, static_cast<std::int64_t>(size));
    for (std::size_t begin = 0; begin < 100; begin += size) {
      ExpectBatch(batches.Next(), std::span(order).subspan(begin, std::min(size, 100 - begin)));
    }
  }
}

TEST(Prefetch, GathersOnAThreadOfItsOwnIfThereIsMoreThanOneBatch) {
  const Numbers data;
  std::vector<std::uint32_t> order(100);
  std::iota(order.begin(), order.end(), 0U);
  {
    Prefetch two(data, order, 50);
    two.Next();
    two.Next();
  }
  EXPECT_NE(data.gatherer(), std::this_thread::get_id());
  Prefetch(data, order, 100).Next();
  EXPECT_EQ(data.gatherer(), std::this_thread::get_id());
}

TEST(Prefetch, MayEndAtAnyBatch) {
  const Numbers data;
  const std::vector<std::uint32_t> order = Permutation(100, RandomStream(1, "prefetch"));
  for (std::size_t taken = 0; taken < 10; ++taken) {
    Prefetch batches(data, order, 10);
    for (std::size_t i = 0; i < taken; ++i) batches.Next();
  }
}

}  // namespace
}  // namespace fx
