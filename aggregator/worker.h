// Named threads that do jobs: one does them in the order they came, several begin them in it.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/bounded_queue.h"

namespace fx::aggregator {

class Worker {
 public:
  using Job = std::function<void()>;

  // At most `capacity` jobs of TryPost wait at once. `name` has at most 15 characters.
  Worker(const std::string& name, std::size_t capacity, int threads = 1);
  ~Worker();  // does what is left, then ends
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // For jobs that follow from what strangers send. False: too many wait, or the worker is ending.
  bool TryPost(Job job);
  // For jobs of our own, few at any time: never refused before Finish.
  void Post(Job job);

  // Does what is left, takes no more, and returns when the threads have ended. Not from a job.
  void Finish();

 private:
  static constexpr std::size_t kOwnJobs = 1024;
  void Run();

  const std::size_t capacity_;
  std::atomic<std::size_t> strangers_{0};
  BoundedQueue<Job> jobs_;
  std::vector<std::jthread> threads_;
};

}  // namespace fx::aggregator
