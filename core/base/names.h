// Strong names for the things a federation talks about. Two strings with different meanings never
// convert into each other, so a task name cannot be passed where a collaborator name is expected.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace fx {

template <typename Tag>
struct StrongName {
  std::string value;
  auto operator<=>(const StrongName&) const = default;
};

using CollaboratorName = StrongName<struct CollaboratorTag>;
using TaskName = StrongName<struct TaskTag>;
using UpdateId = StrongName<struct UpdateTag>;  // XXH3-128 of the file, 32 hex digits; or ""
using ModelId = StrongName<struct ModelTag>;    // SHA-256 of the file, 64 hex digits

// Rounds count from zero; `Round{n}` is the n-th time the global model is replaced.
enum class Round : std::uint32_t {};
constexpr std::uint32_t Number(Round r) {
  return static_cast<std::uint32_t>(r);
}
constexpr Round Next(Round r) {
  return Round{Number(r) + 1};
}

// Milliseconds since the Unix epoch. Time enters the engine only as a field of an event.
enum class TimeMs : std::int64_t {};
constexpr std::int64_t Count(TimeMs t) {
  return static_cast<std::int64_t>(t);
}
constexpr TimeMs operator+(TimeMs t, std::int64_t ms) {
  return TimeMs{Count(t) + ms};
}

// Ties a reply to the request that waits for it. Never reused within a process.
enum class RequestId : std::uint64_t {};

// One number a task reports, e.g. {"accuracy", 0.91}.
struct Metric {
  std::string name;
  double value = 0;
  bool operator==(const Metric&) const = default;
};

}  // namespace fx
