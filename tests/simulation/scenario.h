// What a seed stands for: a plan, and how much goes wrong.
#pragma once

#include <cstdint>
#include <string>

#include "plan/plan.h"

namespace fx::sim {

// Probabilities are for each message, or each death; times are milliseconds. Zero: never.
struct Faults {
  double cut = 0;        // a message breaks its connection
  double hole = 0;       // it is stuck, and all after it, until long after the sender gave up
  double slow = 0;       // it takes seconds
  double power_cut = 0;  // of a death: the machine's, not the process's alone

  std::int64_t server_life_ms = 0;  // mean time between deaths of the aggregator
  std::int64_t site_life_ms = 0;    // of each collaborator
  std::int64_t down_ms = 100;       // at most, before it is started again
  std::int64_t disk_full_ms = 0;    // mean time between full disks
  std::int64_t comings_ms = 0;      // between two changes of the authorised list

  std::int64_t io_ms = 2;     // at most, a job of the aggregator's I/O thread
  std::int64_t fold_ms = 20;  // at most, a fold
  std::int64_t task_ms = 200;
  double straggles = 0;  // a task takes a hundred times as long

  std::int64_t calm_after_ms = 0;  // from then on nothing more goes wrong
};

struct Scenario {
  Plan plan;
  Faults faults;
  // The last model depends on the plan alone, whatever goes wrong.
  bool has_one_end = true;
};

Scenario DrawScenario(std::uint64_t seed);
std::string Describe(const Scenario& scenario);

}  // namespace fx::sim
