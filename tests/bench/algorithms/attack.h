// What a hostile site sends instead of what it learned.
#pragma once

#include <memory>

#include "tasks/task_runner.h"

namespace fx::bench {

enum class Attack {
  kNone,
  kSignFlip,  // x - 4 (y - x) for a site that got from x to y: four steps back (Li et al. 2019)
  kNoise,     // y plus a standard normal number at each weight
};

// `runner`, but the model it is left with after training is a lie. It validates honestly.
std::unique_ptr<TaskRunner> Corrupt(Attack attack, std::unique_ptr<TaskRunner> runner);

}  // namespace fx::bench
