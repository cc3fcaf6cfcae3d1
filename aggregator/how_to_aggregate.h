// What a plan says about how updates become the next model.
#pragma once

#include <cstdint>
#include <map>

#include "core/base/names.h"
#include "plan/plan.h"

namespace fx::aggregator {

struct HowToAggregate {
  AggregationSpec function;
  // What a site does with its samples in a task that trains.
  struct Pace {
    std::int64_t epochs = 1;
    std::int64_t batch_size = 1;
  };
  std::map<TaskName, Pace> paces;

  // A site's optimizer steps in the task: the batches of all epochs, the last of each perhaps
  // smaller. 1 if the number of samples is unknown.
  double StepsOf(const TaskName& task, std::int64_t num_samples) const;
};

// The function is that of the tasks in use that train, which all name the same.
HowToAggregate HowToAggregateBy(const Plan& plan);

}  // namespace fx::aggregator
