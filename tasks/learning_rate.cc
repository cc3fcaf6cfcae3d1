#include "tasks/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "core/base/error.h"

namespace fx {
namespace {

double Factor(const ScheduleSpec& spec, std::int64_t round) {
  if (round < spec.warmup) {
    return static_cast<double>(round + 1) / static_cast<double>(spec.warmup + 1);
  }
  const std::int64_t since = round - spec.warmup;
  switch (spec.type) {
    case ScheduleType::kConstant:
      return 1;
    case ScheduleType::kStep:
      return std::pow(spec.factor, static_cast<double>(since / spec.every));
    case ScheduleType::kCosine: {
      const double part =
          std::min(1.0, static_cast<double>(since) / static_cast<double>(spec.rounds));
      return spec.floor + (1 - spec.floor) * (1 + std::cos(std::numbers::pi * part)) / 2;
    }
  }
  FX_CHECK(false);
}

}  // namespace

double LearningRate(const OptimizerSpec& spec, Round round) {
  return spec.learning_rate * Factor(spec.schedule, Number(round));
}

}  // namespace fx
