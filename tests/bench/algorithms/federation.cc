#include "tests/bench/algorithms/federation.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "aggregator/runtime.h"
#include "collaborator/grpc_link.h"
#include "collaborator/local_store.h"
#include "collaborator/task_loop.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "plan/model_layout.h"
#include "rpc/pbuf.h"
#include "tasks/data_loader.h"
#include "tasks/shared_optimizer.h"
#include "tasks/site_runner.h"

namespace fx::bench {
namespace {

using aggregator::Runtime;

constexpr const char* kAccuracy = "aggregator/aggregated_model_validation/accuracy";

double Seconds() {
  using Seconds = std::chrono::duration<double>;
  return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Status TakePart(const Plan& plan, const CollaboratorName& name, std::size_t shard, Attack attack,
                const Path& workspace, std::uint16_t port) {
  const auto data = TRY(MakeDataLoader(plan.data_loader, std::to_string(shard)));
  const auto runner = Corrupt(attack, TRY(MakeSiteRunner(plan, *data)));
  auto store = TRY(collaborator::LocalStore::Open(collaborator::StatePath(workspace, name, plan)));
  auto link_options = collaborator::LinkOptionsOf(plan, name);
  link_options.port = port;
  const auto link = collaborator::MakeGrpcLink(std::move(link_options), PemBundle());
  collaborator::TaskLoopOptions options{.name = name,
                                        .tasks = plan.tasks,
                                        .settings = plan.collaborator,
                                        .has_sums = HasSums(plan),
                                        .clock = Seconds};
  return collaborator::TaskLoop(std::move(options), std::move(store), *link, *runner).Run();
}

Result<std::unique_ptr<Runtime>> MakeAggregator(const Plan& plan, const Path& workspace) {
  const Path init = workspace / plan.aggregator.init_state_path;
  TRY(MakeFolders(init.parent_path()));
  TRY(WritePbuf(init, InitialModel(plan), 0));
  return Runtime::Create({.plan = plan,
                          .credentials = {},
                          .workspace = workspace,
                          .address = "127.0.0.1",
                          .quiet_ms = 0,
                          .now = {}});
}

Result<std::vector<double>> ReadAccuracies(const Path& workspace) {
  std::istringstream lines(TRY(ReadFile(workspace / "logs" / "aggregator_metrics.txt")));
  std::vector<double> accuracies;
  for (std::string line; std::getline(lines, line);) {
    accuracies.push_back(nlohmann::json::parse(line).value(kAccuracy, 0.0));
  }
  return accuracies;
}

}  // namespace

std::vector<CollaboratorName> Sites(const Plan& plan) {
  std::vector<CollaboratorName> names;
  for (std::int64_t k = 1; k <= plan.data_loader.collaborator_count; ++k) {
    names.push_back({format("site{}", k)});
  }
  return names;
}

Result<std::vector<double>> Accuracies(
    Plan plan, const std::function<Attack(const CollaboratorName&)>& attack_of) {
  plan.authorized = Sites(plan);
  const TempDir workspace;
  const auto aggregator = TRY(MakeAggregator(plan, workspace.path()));
  std::vector<Status> ends(plan.authorized.size(), Ok());
  {
    std::vector<std::jthread> sites;
    for (std::size_t k = 0; k < ends.size(); ++k) {
      sites.emplace_back([&, k] {
        const CollaboratorName& name = plan.authorized[k];
        ends[k] =
            TakePart(plan, name, k + 1, attack_of(name), workspace.path(), aggregator->port());
        if (!ends[k]) aggregator->RequestStop();
      });
    }
    TRY(aggregator->Run());
  }
  for (Status& end : ends) TRY(std::move(end));
  return ReadAccuracies(workspace.path());
}

}  // namespace fx::bench
