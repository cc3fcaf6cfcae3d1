#include "aggregator/block_pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>

#include "tests/support/matchers.h"

namespace fx::aggregator {
namespace {

using test::IsError;
using test::IsOk;

Status Number(std::uint64_t offset, std::span<std::byte> block) {
  for (std::size_t i = 0; i < block.size(); ++i) block[i] = std::byte((offset + i) % 251);
  return Ok();
}

TEST(BlockPipeline, ConsumesEveryByteInOrder) {
  for (const int threads : {0, 1, 3, 8}) {
    for (const std::uint64_t size : {0U, 1U, 16U, 17U, 1000U}) {
      std::uint64_t seen = 0;
      const Status status =
          BlockPipeline(size, 16, threads).Run(Number, [&](std::uint64_t offset, auto block) {
            EXPECT_EQ(offset, seen);
            for (const std::byte b : block) {
              EXPECT_EQ(b, std::byte(seen++ % 251));
            }
            return Ok();
          });
      EXPECT_THAT(status, IsOk());
      EXPECT_EQ(seen, size);
    }
  }
}

TEST(BlockPipeline, StopsAtTheFirstErrorOfTheConsumer) {
  int calls = 0;
  const Status status = BlockPipeline(1 << 20, 16, 3).Run(Number, [&](std::uint64_t, auto) {
    ++calls;
    return calls == 3 ? Status(Fail(ErrorCode::kResourceExhausted, "disk full")) : Ok();
  });
  EXPECT_THAT(status, IsError(ErrorCode::kResourceExhausted, "disk full"));
  EXPECT_EQ(calls, 3);
}

TEST(BlockPipeline, EndsWithTheErrorOfTheFirstBlockThatCannotBeMade) {
  std::uint64_t consumed = 0;
  const auto make = [](std::uint64_t offset, std::span<std::byte>) {
    return offset < 160 ? Ok() : Status(Fail(ErrorCode::kDataLoss, std::to_string(offset)));
  };
  const auto consume = [&](std::uint64_t, std::span<const std::byte> block) {
    consumed += block.size();
    return Ok();
  };
  EXPECT_THAT(BlockPipeline(1 << 20, 16, 3).Run(make, consume),
              IsError(ErrorCode::kDataLoss, "160"));
  EXPECT_EQ(consumed, 160U);
}

TEST(BlockPipeline, NeverRunsFarAhead) {
  constexpr std::uint64_t kThreads = 2;
  std::atomic<std::uint64_t> made = 0;
  std::uint64_t consumed = 0;
  std::uint64_t most = 0;
  const auto make = [&](std::uint64_t, std::span<std::byte>) {
    ++made;
    return Ok();
  };
  const auto consume = [&](std::uint64_t, std::span<const std::byte>) {
    most = std::max(most, made - consumed++);
    return Ok();
  };
  ASSERT_THAT(BlockPipeline(16 * 1000, 16, kThreads).Run(make, consume), IsOk());
  EXPECT_LE(most, 2 * kThreads + 2);
}

}  // namespace
}  // namespace fx::aggregator
