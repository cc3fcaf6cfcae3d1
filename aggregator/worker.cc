#include "aggregator/worker.h"

#include <pthread.h>

#include <utility>

#include "core/base/error.h"

namespace fx::aggregator {

Worker::Worker(const std::string& name, std::size_t capacity, int threads)
    : capacity_(capacity), jobs_(capacity + kOwnJobs) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Run(); });
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
}

Worker::~Worker() {
  Finish();
}

bool Worker::TryPost(Job job) {
  if (strangers_.fetch_add(1) >= capacity_) {
    strangers_.fetch_sub(1);
    return false;
  }
  const bool pushed = jobs_.TryPush([this, job = std::move(job)] {
    strangers_.fetch_sub(1);
    job();
  });
  if (!pushed) strangers_.fetch_sub(1);
  return pushed;
}

void Worker::Post(Job job) {
  const bool pushed = jobs_.TryPush(std::move(job));
  FX_CHECK(pushed || jobs_.closed());
}

void Worker::Finish() {
  jobs_.Close();
  threads_.clear();  // joins
}

void Worker::Run() {
  while (auto job = jobs_.Pop()) (*job)();
}

}  // namespace fx::aggregator
