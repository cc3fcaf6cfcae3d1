#include "plan/load.h"

#include <optional>

#include "core/base/format.h"
#include "plan/canonical.h"
#include "plan/cols_file.h"
#include "plan/complaints.h"
#include "plan/cross_checks.h"
#include "plan/merge_defaults.h"
#include "plan/read_sections.h"
#include "plan/site_checks.h"

namespace fx {

void ReadPlan(const YamlValue& document, Complaints& complaints, Plan& plan) {
  CheckSectionNames(document, complaints);
  ReadAggregator(document, complaints, plan.aggregator);
  ReadCollaborator(document, complaints, plan.collaborator);
  ReadDataLoader(document, complaints, plan.data_loader, plan.python_parts);
  const std::size_t loaders = plan.python_parts.size();
  ReadTaskRunner(document, complaints, plan.task_runner, plan.python_parts);
  const bool native = plan.python_parts.size() == loaders;
  ReadNetwork(document, complaints, plan.network);
  ReadAssigner(document, complaints, plan);
  ReadTasks(document, native ? &plan.task_runner : nullptr, complaints, plan.tasks);
  ReadCompressionPipeline(document, complaints);
  ReadStragglerPolicy(document, complaints, plan.stragglers);
  CrossCheck(plan, document, complaints);
}

namespace {

std::string Context(const Path& plan_file) {
  return format("cannot use the plan {}", plan_file.string());
}

Result<std::string> ReadPlanFile(const Path& plan_file) {
  return In(ReadFile(plan_file, kMaxYamlBytes), Context(plan_file));
}

// None if there is no such file.
Result<std::optional<std::string>> ReadColsFile(const Path& plan_file, const Path& cols_file) {
  if (!Exists(cols_file)) return std::nullopt;
  return TRY(In(ReadFile(cols_file, kMaxYamlBytes), Context(plan_file)));
}

// `cols` is the text of `cols_file`. `check` complains about what it finds in a plan that was read.
template <typename Check>
Result<Plan> Load(std::string_view text, const Path& plan_file,
                  std::optional<std::string_view> cols, const Path& cols_file, Check check) {
  const std::string context = Context(plan_file);
  Plan plan;
  Complaints complaints;
  if (cols) ReadCols(*cols, cols_file.string(), complaints, plan.authorized);
  YamlRef document = ParseYaml(text, plan_file.string(), complaints);
  if (document && !document->is_mapping()) {
    complaints.Add(*document, format("the plan is {}, expected sections", Describe(*document)));
  } else if (document) {
    document = MergeDefaults(document, WorkspaceOf(plan_file), complaints);
    ReadPlan(*document, complaints, plan);
    check(plan, *document, complaints);
  }
  TRY(In(complaints.ToStatus(), context));
  plan.digest = PlanDigest(*document);
  plan.federation_uuid = FederationUuid(plan_file.filename().string(), plan.digest);
  plan.aggregator_uuid = AggregatorUuid(plan.federation_uuid);
  return plan;
}

constexpr auto kNothingMore = [](const Plan&, const YamlValue&, Complaints&) {};

}  // namespace

Result<Plan> LoadPlan(const Path& plan_file, const Path& cols_file) {
  const std::string text = TRY(ReadPlanFile(plan_file));
  return LoadPlanText(text, plan_file, cols_file);
}

Result<Plan> LoadPlan(const Path& plan_file, const Path& cols_file, std::string_view cols) {
  const std::string text = TRY(ReadPlanFile(plan_file));
  return Load(text, plan_file, cols, cols_file, kNothingMore);
}

Result<Plan> LoadPlanToRun(const Path& plan_file, const Path& cols_file) {
  const std::optional<std::string> cols = TRY(ReadColsFile(plan_file, cols_file));
  const std::string text = TRY(ReadPlanFile(plan_file));
  return Load(text, plan_file, cols, cols_file, CheckSites);
}

Result<Plan> LoadPlanToRun(const Path& plan_file, const Path& cols_file, std::string_view cols) {
  const std::string text = TRY(ReadPlanFile(plan_file));
  return Load(text, plan_file, cols, cols_file, CheckSites);
}

Result<Plan> LoadPlanText(std::string_view text, const Path& plan_file, const Path& cols_file) {
  const std::optional<std::string> cols = TRY(ReadColsFile(plan_file, cols_file));
  return Load(text, plan_file, cols, cols_file, kNothingMore);
}

Status CheckResolved(const Plan& plan) {
  const bool no_address = plan.network.agg_addr == "auto";
  if (!no_address && plan.network.agg_port != 0) return Ok();
  return Fail(
      Error(ErrorCode::kFailedPrecondition,
            format("the plan does not say where the aggregator is: network.settings.{} is auto",
                   no_address ? "agg_addr" : "agg_port"))
          .Hint("run `fx plan initialize -a FQDN` with the aggregator's name, then share the "
                "plan again"));
}

}  // namespace fx
