// The same network trained by federated averaging and on all data in one place, as long as the plan
// says: federated_vs_central PLAN_YAML. Prints a table row a round; the figures of
// docs/benchmarks.md.
//
// In one process and without a wire: every site is a runner on a thread of its own, the average is
// taken here, in double. Round, collaborator names, tasks and data are those of a real federation
// of equal shards, so the accuracies are too.
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/format.h"
#include "plan/load.h"
#include "tasks/data_loader.h"
#include "tasks/task_runner.h"

namespace fx {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

struct Site {
  std::string name;
  std::unique_ptr<DataLoader> data;
  std::unique_ptr<TaskRunner> runner;
};

Result<Site> MakeSite(const Plan& plan, std::int64_t shard, std::int64_t shards) {
  DataLoaderSettings settings = plan.data_loader;
  settings.collaborator_count = shards;
  Site site{.name = format("collaborator{}", shard), .data = {}, .runner = {}};
  site.data = TRY(MakeDataLoader(settings, std::to_string(shard)));
  site.runner = TRY(MakeTaskRunner(plan.task_runner, settings, *site.data));
  return site;
}

Result<TaskSpec> FindTask(const Plan& plan, TaskFunction function) {
  for (const auto& [name, task] : plan.tasks) {
    if (task.function == function) return task;
  }
  return Fail(ErrorCode::kInvalidArgument, "the plan has no task to train or to validate");
}

// One round of one site, from `model`; opt_treatment RESET.
Result<TaskReport> TrainSite(Site& site, const Model& model, const TaskSpec& task, Round round) {
  TRY(site.runner->SetParameters(model));
  site.runner->ResetOptimizer();
  return site.runner->Train(
      task, {.round = round, .collaborator = {site.name}, .progress = {}, .cancelled = {}});
}

Model Average(const std::vector<Site>& sites) {
  Model sum = sites[0].runner->GetParameters();
  std::vector<Model> models;
  double samples = 0;
  for (const Site& site : sites) {
    models.push_back(site.runner->GetParameters());
    samples += static_cast<double>(site.data->train().size());
  }
  for (std::size_t t = 0; t < sum.size(); ++t) {
    const auto out = sum[t].tensor.floats();
    for (std::size_t i = 0; i < out.size(); ++i) {
      double total = 0;
      for (std::size_t k = 0; k < sites.size(); ++k) {
        total +=
            static_cast<double>(sites[k].data->train().size()) * models[k][t].tensor.floats()[i];
      }
      out[i] = static_cast<float>(total / samples);
    }
  }
  return sum;
}

// All sites at once, a thread each; then the new global model.
Result<Model> FederatedRound(std::vector<Site>& sites, const Model& model, const TaskSpec& task,
                             Round round) {
  std::vector<Result<TaskReport>> reports(sites.size(), TaskReport{});
  std::vector<std::thread> threads;
  for (std::size_t k = 0; k < sites.size(); ++k) {
    threads.emplace_back([&, k] { reports[k] = TrainSite(sites[k], model, task, round); });
  }
  for (std::thread& thread : threads) thread.join();
  for (Result<TaskReport>& report : reports) TRY(std::move(report));
  return Average(sites);
}

struct Quality {
  double accuracy = 0, loss = 0;
};
Result<Quality> Judge(TaskRunner& runner, TaskSpec task) {
  task.metrics = {"accuracy", "loss"};
  const TaskReport report = TRY(runner.Validate(task, {}));
  return Quality{.accuracy = report.metrics[0].value, .loss = report.metrics[1].value};
}

Status Compare(const Path& plan_file) {
  const Plan plan = TRY(LoadPlan(plan_file, plan_file.parent_path() / "cols.yaml"));
  const TaskSpec train = TRY(FindTask(plan, TaskFunction::kTrain));
  const TaskSpec validate = TRY(FindTask(plan, TaskFunction::kValidate));
  std::vector<Site> sites;
  for (std::int64_t k = 1; k <= plan.data_loader.collaborator_count; ++k) {
    sites.push_back(TRY(MakeSite(plan, k, plan.data_loader.collaborator_count)));
  }
  Site judge = TRY(MakeSite(plan, 1, 1));
  Site central = TRY(MakeSite(plan, 1, 1));
  Model global = InitialModel(plan.task_runner);
  TRY(central.runner->SetParameters(global));

  std::printf("round | federated: accuracy   loss  train s | central: accuracy   loss  train s\n");
  for (std::uint32_t r = 0; r < plan.aggregator.rounds_to_train; ++r) {
    const Clock::time_point begin = Clock::now();
    global = TRY(FederatedRound(sites, global, train, Round{r}));
    const double federated_seconds = SecondsSince(begin);
    TRY(judge.runner->SetParameters(global));
    const Quality federated = TRY(Judge(*judge.runner, validate));

    const Clock::time_point central_begin = Clock::now();
    TRY(central.runner->Train(
        train,
        {.round = Round{r}, .collaborator = {central.name}, .progress = {}, .cancelled = {}}));
    const double central_seconds = SecondsSince(central_begin);
    const Quality whole = TRY(Judge(*central.runner, validate));
    std::printf("%5u | %19.4f %6.4f %8.1f | %17.4f %6.4f %8.1f\n", r + 1, federated.accuracy,
                federated.loss, federated_seconds, whole.accuracy, whole.loss, central_seconds);
    std::fflush(stdout);
  }
  return Ok();
}

}  // namespace
}  // namespace fx

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: federated_vs_central PLAN_YAML\n");
    return 2;
  }
  const fx::Status done = fx::Compare(argv[1]);
  if (!done) std::fputs(done.error().Render().c_str(), stderr);
  return done ? 0 : 1;
}
