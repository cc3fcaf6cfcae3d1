// The aggregate is a function of the set of contributions: the order of their arrival and the
// number of threads leave no trace in it.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aggregator/aggregate_job.h"
#include "aggregator/engine/engine.h"
#include "core/base/random.h"
#include "tests/transcripts/print.h"

namespace fx::aggregator {
namespace {

constexpr std::size_t kMembers = 9;

Model RandomModel(std::uint64_t seed) {
  Model model;
  for (const Shape& shape : {Shape{1}, Shape{1000}}) {
    RandomStream stream(seed, "model", model.size());
    Tensor tensor(shape);
    for (float& x : tensor.floats()) x = stream.NextFloat() - 0.5F;
    model.push_back({"t" + std::to_string(model.size()), std::move(tensor)});
  }
  return model;
}

Plan NinePlan() {
  Plan plan;
  plan.digest = "property";
  plan.aggregator.rounds_to_train = 1;
  TaskGroup group;
  for (const char* name : {"train", "tune"}) {
    TaskSpec task;
    task.name = {name};
    task.function = group.tasks.empty() ? TaskFunction::kTrain : TaskFunction::kValidate;
    task.apply = ApplyTo::kLocal;
    plan.tasks[task.name] = task;
    group.tasks.push_back(task.name);
  }
  plan.task_groups = {group};
  // Neither alphabetical nor the order of arrival.
  for (std::size_t i = 0; i < kMembers; ++i) {
    plan.authorized.push_back({"site-" + std::to_string(i * 5 % kMembers)});
  }
  return plan;
}

// A round in which every member's results lie in the spool, to be delivered in any order.
class StagedRound {
 public:
  StagedRound()
      : models_(*ModelStore::Open(dir_.path() / "models")),
        spool_(*Spool::Open(dir_.path() / "spool")),
        memories_(dir_.path() / "memory"),
        base_(*models_.Add(RandomModel(0))) {
    for (std::size_t i = 0; i < kMembers; ++i) Stage(plan_.authorized[i], i);
  }

  std::size_t size() const { return results_.size(); }

  // The records and actions of the last step, and the model that comes of them.
  std::pair<std::string, ModelId> Deliver(const std::vector<std::size_t>& order,
                                          int threads) const {
    Engine engine(OptionsFor(plan_));
    engine.Step({.at = {}, .body = Started{base_}});
    Ready ready;
    for (const std::size_t i : order) ready = engine.Step({.at = {}, .body = results_[i]});
    std::string text;
    for (const Record& r : ready.records) {
      if (std::holds_alternative<RoundClosed>(r)) text += Print(r) + "\n";
    }
    const auto& job = std::get<AggregateRound>(ready.actions.back());
    return {text + Print(Action(job)),
            *RunAggregateJob(job, HowToAggregateBy(plan_),
                             {.models = models_, .spool = spool_, .memories = memories_}, threads)};
  }

 private:
  void Stage(const CollaboratorName& who, std::size_t i) {
    const Path temp = dir_.path() / "update";
    const auto written = WriteModelFile(temp, RandomModel(i + 1), DigestKind::kFast);
    const UpdateId update{written->digest};
    RC_ASSERT(spool_.Commit(temp, Round{}, who, {"train"}, update).has_value());
    const double score = 1.0 / static_cast<double>(i + 3);
    results_.push_back({.who = who,
                        .request = {},
                        .round = {},
                        .task = {"train"},
                        .update = update,
                        .num_samples = static_cast<std::int64_t>(i * i + 1),
                        .metrics = {{"loss", score}}});
    results_.push_back({.who = who,
                        .request = {},
                        .round = {},
                        .task = {"tune"},
                        .update = {},
                        .num_samples = static_cast<std::int64_t>(i + 1),
                        .metrics = {{"accuracy", score}}});
  }

  TempDir dir_;
  ModelStore models_;
  Spool spool_;
  MemoryStore memories_;
  ModelId base_;
  Plan plan_ = NinePlan();
  std::vector<ResultStaged> results_;
};

TEST(ArrivalProperty, AnyOrderGivesTheSameRoundAndTheSameBytes) {
  const StagedRound round;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < round.size(); ++i) order.push_back(i);
  const auto expected = round.Deliver(order, 1);
  rc::detail::checkGTest([&] {
    const std::uint64_t seed = *rc::gen::arbitrary<std::uint64_t>();
    std::vector<std::size_t> shuffled;
    for (const std::uint32_t i : Permutation(round.size(), RandomStream(seed, "arrival"))) {
      shuffled.push_back(i);
    }
    RC_ASSERT(round.Deliver(shuffled, *rc::gen::inRange(1, 4)) == expected);
  });
}

}  // namespace
}  // namespace fx::aggregator
