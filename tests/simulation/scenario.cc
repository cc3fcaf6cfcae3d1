#include "tests/simulation/scenario.h"

#include <array>

#include "core/base/format.h"
#include "tests/simulation/world.h"

namespace fx::sim {
namespace {

constexpr std::array kNames = {"zed", "ann", "bob", "eve", "mia"};

void AddTask(Plan& plan, const char* name, TaskFunction function, ApplyTo apply) {
  TaskSpec task;
  task.name = {name};
  task.function = function;
  task.apply = apply;
  plan.tasks[task.name] = task;
}

// Some of the plan's tasks, in their order; at least one.
std::vector<TaskName> SomeTasks(Dice& dice, const Plan& plan) {
  std::vector<TaskName> all;
  for (const auto& [name, task] : plan.tasks) all.push_back(name);
  std::vector<TaskName> some;
  for (const TaskName& name : all) {
    if (dice.Chance(0.6)) some.push_back(name);
  }
  return some.empty() ? all : some;
}

void DrawGroups(Dice& dice, Plan& plan) {
  const std::int64_t groups = dice.Chance(0.6) ? 1 : dice.Between(2, 3);
  plan.assigner = dice.Chance(0.5) ? AssignerType::kRandomGrouped : AssignerType::kStaticGrouped;
  for (std::int64_t g = 0; g < groups; ++g) {
    TaskGroup group;
    group.name = format("group{}", g);
    group.percentage = 1.0 / static_cast<double>(groups);
    if (dice.Chance(0.6)) {
      for (const auto& [name, task] : plan.tasks) group.tasks.push_back(name);
    } else {
      group.tasks = SomeTasks(dice, plan);
    }
    plan.task_groups.push_back(group);
  }
  for (const CollaboratorName& who : plan.authorized) {
    const auto g = static_cast<std::size_t>(dice.Between(0, groups - 1));
    plan.task_groups[g].collaborators.push_back(who);
  }
}

void DrawPolicy(Dice& dice, StragglerPolicy& policy, std::size_t members) {
  if (dice.Chance(0.5)) return;  // waits for everyone
  if (dice.Chance(0.7)) policy.cutoff_ms = dice.Between(1, 20) * 1000;
  if (dice.Chance(0.4)) policy.percent_needed = 0.5;
  policy.minimum_reporting =
      static_cast<std::size_t>(dice.Between(1, static_cast<std::int64_t>(members)));
}

Plan DrawPlan(std::uint64_t seed) {
  Dice dice(seed, "plan");
  Plan plan;
  plan.digest = format("{:096x}", seed);
  plan.federation_uuid = "sim";
  plan.aggregator.rounds_to_train = static_cast<std::uint32_t>(dice.Between(1, 4));
  plan.aggregator.db_store_rounds = static_cast<std::uint32_t>(dice.Between(1, 3));
  plan.collaborator.db_store_rounds = static_cast<std::uint32_t>(dice.Between(1, 2));
  if (dice.Chance(0.5)) plan.collaborator.opt_treatment = OptTreatment::kContinueLocal;
  plan.network.client_reconnect_interval = dice.Between(1, 5);
  const std::int64_t members = dice.Between(1, static_cast<std::int64_t>(kNames.size()));
  for (std::int64_t i = 0; i < members; ++i) {
    plan.authorized.push_back({kNames.at(static_cast<std::size_t>(i))});
  }
  const bool trains = dice.Chance(0.9);
  if (!trains || dice.Chance(0.8)) {
    AddTask(plan, "a_judge", TaskFunction::kValidate, ApplyTo::kGlobal);
  }
  if (trains) AddTask(plan, "b_train", TaskFunction::kTrain, ApplyTo::kGlobal);
  if (trains && dice.Chance(0.2)) AddTask(plan, "c_more", TaskFunction::kTrain, ApplyTo::kGlobal);
  if (dice.Chance(0.5)) AddTask(plan, "d_tune", TaskFunction::kValidate, ApplyTo::kLocal);
  DrawGroups(dice, plan);
  DrawPolicy(dice, plan.stragglers, plan.authorized.size());
  const bool one_trains = trains && !plan.tasks.contains({"c_more"});
  if (one_trains && Dice(seed, "controls").Chance(0.3)) {
    plan.tasks.at({"b_train"}).aggregation_type.control_variates = true;
  }
  return plan;
}

// Each kind of trouble is absent in most stories: what goes wrong alone is seen best.
Faults DrawFaults(std::uint64_t seed) {
  Dice dice(seed, "faults");
  const auto sometimes = [&](double p, double value) { return dice.Chance(p) ? value : 0; };
  const auto every = [&](double p, std::int64_t low, std::int64_t high) {
    return dice.Chance(p) ? dice.Between(low, high) : 0;
  };
  Faults faults;
  faults.cut = sometimes(0.5, dice.Chance(0.3) ? 0.3 : 0.05);
  faults.hole = sometimes(0.4, 0.04);
  faults.slow = sometimes(0.4, 0.1);
  faults.power_cut = sometimes(0.5, dice.Chance(0.5) ? 1 : 0.3);
  faults.server_life_ms = every(0.6, 200, 5000);
  faults.site_life_ms = every(0.5, 500, 10'000);
  faults.down_ms = dice.Chance(0.7) ? 500 : 20'000;
  faults.disk_full_ms = every(0.25, 1000, 20'000);
  if (dice.Chance(0.3)) faults.io_ms = 2000;
  if (dice.Chance(0.3)) faults.fold_ms = 3000;
  faults.task_ms = dice.Chance(0.7) ? 200 : 2000;
  faults.straggles = sometimes(0.3, 0.1);
  faults.calm_after_ms = dice.Between(1, 60) * 1000;
  Dice comings(seed, "comings");
  if (comings.Chance(0.3)) faults.comings_ms = comings.Between(100, 10'000);
  return faults;
}

}  // namespace

Scenario DrawScenario(std::uint64_t seed) {
  Scenario scenario{.plan = DrawPlan(seed), .faults = DrawFaults(seed)};
  const StragglerPolicy& policy = scenario.plan.stragglers;
  const bool waits_for_all = !policy.cutoff_ms && policy.percent_needed >= 1;
  scenario.has_one_end = waits_for_all && scenario.faults.comings_ms == 0;
  return scenario;
}

std::string Describe(const Scenario& scenario) {
  const Plan& plan = scenario.plan;
  const Faults& f = scenario.faults;
  std::string text = format("{} collaborators, {} rounds, {} groups", plan.authorized.size(),
                            plan.aggregator.rounds_to_train, plan.task_groups.size());
  for (const auto& [name, task] : plan.tasks) text += ", " + name.value;
  text += scenario.has_one_end ? "; has one end" : "; may end in many ways";
  return text + format(
                    "\nfaults: cut {} hole {} slow {} power cut {}; lives: aggregator {} ms, "
                    "collaborators {} ms; disk full every {} ms; one comes or goes every {} ms; "
                    "calm after {} ms",
                    f.cut, f.hole, f.slow, f.power_cut, f.server_life_ms, f.site_life_ms,
                    f.disk_full_ms, f.comings_ms, f.calm_after_ms);
}

}  // namespace fx::sim
