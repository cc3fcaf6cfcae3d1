#include "tests/bench/aggregation/world.h"

#include <cmath>

#include "core/base/digest.h"
#include "core/base/format.h"
#include "core/base/random.h"
#include "tests/support/must.h"

namespace fx::bench {
namespace {

// The largest divisor of `n` up to its root.
std::int64_t NearRoot(std::int64_t n) {
  auto divisor = static_cast<std::int64_t>(std::sqrt(static_cast<double>(n)));
  while (n % divisor != 0) --divisor;
  return divisor;
}

NetworkSpec MakeNetwork(const Size& size) {
  const std::int64_t share = size.parameters / size.tensors;
  const std::int64_t narrow = NearRoot(share);
  NetworkSpec network;
  network.input_shape = {narrow};
  for (int i = 0; i < size.tensors; ++i) {
    LayerSpec dense;
    dense.type = LayerType::kDense;
    dense.name = format("layer{}", i);
    dense.units = i % 2 == 0 ? share / narrow : narrow;
    dense.bias = false;
    network.layers.push_back(dense);
  }
  test::Must(InferShapes(network));
  return network;
}

}  // namespace

Plan MakePlan(const Size& size, int rounds) {
  Plan plan;
  plan.aggregator.init_state_path = "save/init.pbuf";
  plan.aggregator.best_state_path = "save/best.pbuf";
  plan.aggregator.last_state_path = "save/last.pbuf";
  plan.aggregator.rounds_to_train = static_cast<std::uint32_t>(rounds);
  plan.aggregator.write_logs = false;
  plan.task_runner = MakeNetwork(size);
  plan.network.agg_addr = kHost;
  plan.network.client_reconnect_interval = 1;
  const TaskName train{"train"};
  plan.tasks[train].name = train;
  TaskGroup group;
  group.name = "all";
  group.tasks = {train};
  plan.task_groups = {group};
  for (int i = 0; i < size.collaborators; ++i) plan.authorized.push_back(NameOf(i));
  plan.digest = Sha384Hex(format("{} {} {}", size.collaborators, size.parameters, size.tensors));
  plan.federation_uuid = "plan.yaml_" + plan.digest.substr(0, 8);
  plan.aggregator_uuid = "aggregator_" + plan.federation_uuid;
  return plan;
}

CollaboratorName NameOf(int collaborator) {
  return CollaboratorName{format("site{:03}", collaborator)};
}

Model MakeModel(const Plan& plan) {
  Model model;
  RandomStream draws(1, "bench", 0, 0);
  for (const TensorSpec& spec : ParameterLayout(plan.task_runner)) {
    Tensor tensor(spec.shape);
    for (float& x : tensor.floats()) x = draws.NextFloat() - 0.5F;
    model.push_back({.name = spec.name, .tensor = std::move(tensor)});
  }
  return model;
}

void AddParties(test::TestPki& pki, int collaborators) {
  pki.AddAggregator(kHost);
  for (int i = 0; i < collaborators; ++i) pki.AddCollaborator(NameOf(i).value);
}

}  // namespace fx::bench
