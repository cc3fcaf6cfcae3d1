// Fake time, and everything that is random in a simulation. One seed, one story.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/random.h"

namespace fx::sim {

// Thrown by a check that fails: the seed has found something.
struct Violation {
  std::string what;
};

inline void Check(bool holds, const char* what) {
  if (!holds) throw Violation{what};
}

// Draws that depend on the seed and on what was drawn before.
class Dice {
 public:
  Dice(std::uint64_t seed, std::string_view purpose) : stream_(seed, purpose) {}

  bool Chance(double p) { return p > 0 && static_cast<double>(stream_.NextFloat()) < p; }
  std::int64_t Between(std::int64_t low, std::int64_t high) {  // both included
    return low +
           static_cast<std::int64_t>(stream_.Below(static_cast<std::uint64_t>(high - low + 1)));
  }

 private:
  RandomStream stream_;
};

class World {
 public:
  World(std::uint64_t seed, bool tracing) : dice(seed, "world"), tracing_(tracing) {}

  Dice dice;

  std::int64_t now() const { return now_; }  // milliseconds

  // What happens at the same moment happens in the order it was asked for.
  void After(std::int64_t ms, std::function<void()> what) {
    events_.emplace(now_ + ms, std::move(what));
  }
  // Lets the next thing happen. False: nothing ever will.
  bool Step() {
    if (events_.empty()) return false;
    auto next = events_.extract(events_.begin());
    now_ = next.key();
    ++steps_;
    next.mapped()();
    return true;
  }
  std::int64_t steps() const { return steps_; }

  // A line of the trace; `text` is a function, which is called only if somebody wants to read it.
  template <typename Text>
  void Say(const std::string& who, Text text) {
    if (tracing_) Add(who, text());
  }
  const std::vector<std::string>& trace() const { return trace_; }

 private:
  void Add(const std::string& who, const std::string& text);

  const bool tracing_;
  std::int64_t now_ = 0;
  std::int64_t steps_ = 0;
  std::multimap<std::int64_t, std::function<void()>> events_;
  std::vector<std::string> trace_;
};

}  // namespace fx::sim
