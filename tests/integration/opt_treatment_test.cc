// What becomes of the optimizer, and of a site's part in sums, between rounds, in a federation of
// two sites that really train: held against the same rounds without a federation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "collaborator/task_loop.h"
#include "core/tensor/model_file.h"
#include "core/tensor/state_names.h"
#include "plan/model_layout.h"
#include "rpc/pbuf.h"
#include "tasks/control_variates.h"
#include "tasks/curvature.h"
#include "tasks/shared_optimizer.h"
#include "tests/integration/federation.h"
#include "tests/support/matchers.h"
#include "tests/support/memory_data.h"
#include "tests/support/must.h"

namespace fx::test {
namespace {

using aggregator::Outcome;

constexpr std::int64_t kClasses = 3;
constexpr std::uint32_t kRounds = 3;

// Sites of different sizes, so that no weight is a round number.
MemoryLoader DataOf(const std::string& site) {
  const bool first = site == "ann";
  return MemoryLoader(RandomSet({4}, first ? 25 : 40, kClasses, first ? 1 : 2));
}

struct Treatment {
  OptTreatment optimizer = OptTreatment::kReset;
  bool control_variates = false;
  bool curvature = false;
};
const Treatment kReset,
    kLocal = {.optimizer = OptTreatment::kContinueLocal},
    kGlobal = {.optimizer = OptTreatment::kContinueGlobal},
    kControlled = {.control_variates = true}, kCurved = {.curvature = true},
    kCurvedLocal = {.optimizer = OptTreatment::kContinueLocal, .curvature = true};

std::unique_ptr<TaskRunner> RunnerOf(const Plan& plan, const DataLoader& data) {
  auto runner =
      Must(MakeTaskRunner(plan.task_runner, {.type = "", .dataset = "", .batch_size = 8}, data));
  if (UsesControlVariates(plan)) {
    return WithControlVariates(plan.task_runner.optimizer, std::move(runner));
  }
  if (UsesCurvature(plan)) {
    return WithCurvature(plan.collaborator.opt_treatment, std::move(runner));
  }
  if (plan.collaborator.opt_treatment != OptTreatment::kContinueGlobal) return runner;
  return ShareOptimizer(plan, std::move(runner));
}

class Treated : public testing::Test {
 protected:
  static void SetUpPlan(TestFederation& federation, const Treatment& treatment) {
    Plan& plan = federation.plan;
    plan.aggregator.rounds_to_train = kRounds;
    plan.collaborator.opt_treatment = treatment.optimizer;
    plan.task_runner.optimizer = {.type = OptimizerType::kAdam, .learning_rate = 0.05};
    if (treatment.control_variates) {
      plan.task_runner.optimizer.type = OptimizerType::kSgd;
      plan.tasks.at({"train"}).aggregation_type = {.function = "SCAFFOLD",
                                                   .settings = {{"global_learning_rate", 1}},
                                                   .control_variates = true};
    }
    if (treatment.curvature) {
      plan.tasks.at({"train"}).aggregation_type = {
          .function = "FedCurv", .settings = {{"lambda", 10}}, .curvature = true};
    }
    Model initial = InitialModel(plan);
    for (auto& [name, tensor] : initial) {  // what another federation may have left there
      if (IsSum(name)) std::ranges::fill(tensor.floats(), 7.0F);
    }
    Must(WritePbuf(federation.workspace.path() / plan.aggregator.init_state_path, initial, 0));
  }

  // The site's part. `short_lives`: its process ends after each task, and another goes on.
  static void Collaborate(const TestFederation& federation, const std::string& name,
                          std::uint16_t port, bool short_lives) {
    const MemoryLoader data = DataOf(name);
    const TempDir disk;
    for (;;) {
      std::stop_source stop;
      auto options = federation.LinkOptions(name, port);
      options.stop = stop.get_token();
      const auto link =
          collaborator::MakeGrpcLink(std::move(options), federation.pki.CollaboratorBundle(name));
      const auto runner = RunnerOf(federation.plan, data);
      collaborator::TaskLoopOptions loop{.name = {name},
                                         .tasks = federation.plan.tasks,
                                         .settings = federation.plan.collaborator,
                                         .has_sums = HasSums(federation.plan),
                                         .stop = stop.get_token(),
                                         .clock = [] { return 0.0; }};
      if (short_lives) loop.clear = [&] { stop.request_stop(); };
      auto store = Must(collaborator::LocalStore::Open(disk.path() / "state"));
      const Status done =
          collaborator::TaskLoop(std::move(loop), std::move(store), *link, *runner).Run();
      if (done) return;
      ASSERT_THAT(done, IsError(ErrorCode::kCancelled, ""));
    }
  }

  static Model RunFederation(std::vector<std::string> sites, const Treatment& treatment,
                             bool short_lives = false) {
    TestFederation federation(std::move(sites), kClasses);
    SetUpPlan(federation, treatment);
    RunningAggregator running(federation.Options());
    {
      std::vector<std::jthread> threads;
      for (const CollaboratorName& name : federation.plan.authorized) {
        threads.emplace_back(
            [&, name] { Collaborate(federation, name.value, running.port(), short_lives); });
      }
    }
    EXPECT_THAT(running.Wait(), IsOkAndHolds(Outcome::kFinished));
    return Clone(Must(MapPbuf(federation.LastModel())).model);
  }

  // One site's training, in the same process for all rounds.
  struct Site {
    MemoryLoader data;
    std::unique_ptr<TaskRunner> runner;
    Model Train(const Plan& plan, const std::string& name, std::uint32_t round,
                const Model& model) {
      Must(runner->SetParameters(model));
      const bool keeps = plan.collaborator.opt_treatment != OptTreatment::kReset;
      const Model state = Clone(runner->GetOptimizerState());
      runner->ResetOptimizer();
      if (keeps || HasSums(plan)) Must(runner->SetOptimizerState(state));
      const TaskContext context{
          .round = Round{round}, .collaborator = {name}, .progress = {}, .cancelled = {}};
      Must(runner->Train(plan.tasks.at(TaskName{"train"}), context));
      return Clone(runner->GetParameters());
    }
  };

  // (25 ann + 40 bob) / 65, of the weights as a change to what they were; of sums over sites, what
  // they were plus both changes.
  static void Average(Model& model, const Model& ann, const Model& bob) {
    const double a = 25.0 / 65, b = 40.0 / 65;
    for (std::size_t t = 0; t < model.size(); ++t) {
      const bool state = model[t].name.starts_with(kOptimizerStatePrefix);
      const bool sums = IsSum(model[t].name);
      const std::span<float> values = model[t].tensor.floats();
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (sums) {
          const double both = static_cast<double>(ann[t].tensor.floats()[i]) +
                              static_cast<double>(bob[t].tensor.floats()[i]);
          values[i] = static_cast<float>(both - static_cast<double>(values[i]));
          continue;
        }
        const double mean = a * static_cast<double>(ann[t].tensor.floats()[i]) +
                            b * static_cast<double>(bob[t].tensor.floats()[i]);
        const float base = state ? 0 : values[i];
        values[i] = base + static_cast<float>(mean / (a + b) - static_cast<double>(base));
      }
    }
  }

  static Model RunByHand(const Treatment& treatment) {
    TestFederation federation({"ann", "bob"}, kClasses);
    SetUpPlan(federation, treatment);
    const Plan& plan = federation.plan;
    const auto ann_data = DataOf("ann"), bob_data = DataOf("bob");
    Site ann{.data = ann_data, .runner = nullptr}, bob{.data = bob_data, .runner = nullptr};
    ann.runner = RunnerOf(plan, ann.data);
    bob.runner = RunnerOf(plan, bob.data);
    Model model = InitialModel(plan);
    for (std::uint32_t round = 0; round < kRounds; ++round) {
      const Model from_ann = ann.Train(plan, "ann", round, model);
      const Model from_bob = bob.Train(plan, "bob", round, model);
      Average(model, from_ann, from_bob);
    }
    return model;
  }

  static void ExpectEqual(const Model& one, const Model& other) {
    ASSERT_EQ(LayoutOf(one), LayoutOf(other));
    for (std::size_t t = 0; t < one.size(); ++t) {
      EXPECT_TRUE(std::ranges::equal(one[t].tensor.floats(), other[t].tensor.floats()))
          << one[t].name;
    }
  }
};

class OptTreatmentTest : public Treated, public testing::WithParamInterface<Treatment> {};

TEST_P(OptTreatmentTest, TwoSitesEndWithWhatTheSameRoundsGiveByHand) {
  const Model model = RunFederation({"ann", "bob"}, GetParam());
  ExpectEqual(model, RunByHand(GetParam()));
}

TEST_P(OptTreatmentTest, SitesThatStartAnewForEachTaskChangeNothing) {
  ExpectEqual(RunFederation({"ann", "bob"}, GetParam(), /*short_lives=*/true),
              RunFederation({"ann", "bob"}, GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Plan, OptTreatmentTest,
                         testing::Values(kReset, kLocal, kGlobal, kControlled, kCurved,
                                         kCurvedLocal));

// There is nobody to share it with.
TEST_F(Treated, OneSiteAloneTrainsTheSameWhetherItsOptimizerIsSharedOrKept) {
  const Model kept = RunFederation({"ann"}, kLocal);
  Model shared = RunFederation({"ann"}, kGlobal);
  std::erase_if(shared, [](const NamedTensor& tensor) {
    return tensor.name.starts_with(kOptimizerStatePrefix);
  });
  ExpectEqual(shared, kept);
}

TEST_F(Treated, TheTreatmentsTrainDifferently) {
  const auto first_weight = [](const Treatment& treatment) {
    return RunByHand(treatment).front().tensor.floats()[0];
  };
  const float reset = first_weight(kReset);
  const float local = first_weight(kLocal);
  const float global = first_weight(kGlobal);
  EXPECT_NE(reset, local);
  EXPECT_NE(local, global);
  EXPECT_NE(global, reset);
  const float curved = first_weight(kCurved);
  EXPECT_NE(curved, reset);
  EXPECT_NE(curved, first_weight(kCurvedLocal));
}

}  // namespace
}  // namespace fx::test
