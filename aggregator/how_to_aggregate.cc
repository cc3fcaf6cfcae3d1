#include "aggregator/how_to_aggregate.h"

#include <algorithm>

namespace fx::aggregator {

double HowToAggregate::StepsOf(const TaskName& task, std::int64_t num_samples) const {
  const auto pace = paces.find(task);
  if (pace == paces.end() || num_samples <= 0) return 1;
  const std::int64_t size = pace->second.batch_size;
  const std::int64_t batches = num_samples / size + (num_samples % size != 0 ? 1 : 0);
  return static_cast<double>(batches) * static_cast<double>(pace->second.epochs);
}

HowToAggregate HowToAggregateBy(const Plan& plan) {
  HowToAggregate how;
  for (const TaskGroup& group : plan.task_groups) {
    for (const TaskName& name : group.tasks) {
      const auto found = plan.tasks.find(name);
      if (found == plan.tasks.end() || found->second.function != TaskFunction::kTrain) continue;
      const TaskSpec& task = found->second;
      how.function = task.aggregation_type;
      how.paces[name] = {.epochs = task.epochs,
                         .batch_size = task.batch_size.value_or(plan.data_loader.batch_size)};
    }
  }
  return how;
}

}  // namespace fx::aggregator
