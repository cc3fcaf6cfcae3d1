#include "aggregator/server/round_view.h"

namespace fx::aggregator {

RoundView ViewOf(const State& state) {
  RoundView view{
      .round = state.round, .collecting = state.phase == Phase::kCollecting, .tasks = {}};
  for (const auto& [who, tasks] : state.assignments) {
    for (const TaskName& task : tasks) view.tasks[{who, task}];
  }
  for (const auto& [key, result] : state.accepted) {
    view.tasks[{result.who, result.task}] = result.update;
  }
  return view;
}

}  // namespace fx::aggregator
