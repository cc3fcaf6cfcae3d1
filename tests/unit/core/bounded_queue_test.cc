#include "core/base/bounded_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "tests/support/matchers.h"

namespace fx {
namespace {

using std::chrono::steady_clock;

TEST(BoundedQueue, GivesItemsInTheOrderTheyCame) {
  BoundedQueue<int> queue(3);
  for (const int i : {1, 2, 3}) EXPECT_TRUE(queue.TryPush(i));
  for (const int i : {1, 2, 3}) EXPECT_EQ(queue.Pop(), i);
}

TEST(BoundedQueue, RefusesWhatDoesNotFit) {
  BoundedQueue<int> queue(1);
  EXPECT_TRUE(queue.TryPush(1));
  EXPECT_FALSE(queue.TryPush(2));
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_TRUE(queue.TryPush(3));
}

TEST(BoundedQueue, DrainsAfterCloseAndThenEnds) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.TryPush(1));
  EXPECT_FALSE(queue.closed());
  queue.Close();
  EXPECT_TRUE(queue.closed());
  EXPECT_FALSE(queue.TryPush(2));
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_EQ(queue.Pop(), std::nullopt);
}

TEST(BoundedQueue, GivesUpAtTheDeadline) {
  BoundedQueue<int> queue(1);
  EXPECT_EQ(queue.PopUntil(steady_clock::now()), std::nullopt);
  EXPECT_TRUE(queue.TryPush(1));
  EXPECT_EQ(queue.PopUntil(steady_clock::now()), 1);
}

TEST(BoundedQueue, WakesAWaiterForAnItemAndForClose) {
  BoundedQueue<int> queue(1);
  std::vector<std::optional<int>> seen;
  std::thread waiter([&] {
    seen.push_back(queue.Pop());
    seen.push_back(queue.Pop());
  });
  EXPECT_TRUE(queue.TryPush(7));
  queue.Close();
  waiter.join();
  EXPECT_THAT(seen, testing::ElementsAre(7, std::nullopt));
}

TEST(BoundedQueue, MovesWhatCannotBeCopied) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.TryPush(std::make_unique<int>(5)));
  EXPECT_EQ(**queue.Pop(), 5);
}

TEST(BoundedQueue, LosesNothingAmongManyThreads) {
  constexpr int kEach = 2000;
  BoundedQueue<int> queue(8);
  std::vector<std::thread> producers;
  for (int p = 0; p < 3; ++p) {
    producers.emplace_back([&] {
      for (int i = 1; i <= kEach; ++i) {
        while (!queue.TryPush(i)) std::this_thread::yield();
      }
    });
  }
  std::vector<long> sums(2);
  std::vector<std::thread> consumers;
  for (long& sum : sums) {
    consumers.emplace_back([&] {
      while (const std::optional<int> item = queue.Pop()) sum += *item;
    });
  }
  for (std::thread& t : producers) t.join();
  queue.Close();
  for (std::thread& t : consumers) t.join();
  EXPECT_EQ(std::accumulate(sums.begin(), sums.end(), 0L), 3L * kEach * (kEach + 1) / 2);
}

}  // namespace
}  // namespace fx
