#include "tests/bench/aggregation/light_collaborator.h"

#include <optional>
#include <utility>

#include "collaborator/grpc_link.h"
#include "core/tensor/model_file.h"
#include "tests/bench/aggregation/world.h"
#include "tests/support/must.h"

namespace fx::bench {

using test::Must;

TaskResult PrepareUpdate(const Plan& plan, const Path& workspace) {
  const Path file = workspace / "update.fxm";
  const WrittenModel written = Must(WriteModelFile(file, MakeModel(plan), DigestKind::kFast));
  return {.round = {},
          .task = plan.tasks.begin()->first,
          .num_samples = 100,
          .metrics = {{.name = "loss", .value = 1.0}},
          .file = file,
          .update = UpdateId{written.digest},
          .size = written.size};
}

void Run(const LightCollaborator& light, PemBundle credentials) {
  auto options = collaborator::LinkOptionsOf(light.plan, light.name);
  options.port = light.port;
  const auto link = collaborator::MakeGrpcLink(std::move(options), std::move(credentials));
  const Path model = light.workspace / light.name.value;
  for (;;) {
    light.asks();
    std::optional<TaskAssignment> assignment;
    while (!assignment) assignment = Must(link->GetTasks());
    if (assignment->quit) return link->SayGoodbye();
    light.is_answered(assignment->round);
    Must(link->Download(assignment->model, assignment->model_size, model));
    Must(RemoveIfExists(model));
    light.begins(assignment->round);
    TaskResult result = light.update;
    result.round = assignment->round;
    Must(link->Send(result));
  }
}

}  // namespace fx::bench
