#include "plan/read_aggregation.h"

#include <cstdint>
#include <memory>
#include <vector>

#include "aggregator/functions/registry.h"
#include "core/base/format.h"
#include "plan/sampling.h"

namespace fx {
namespace {

using aggregator::AggregationFunctions;
using aggregator::FindAggregationFunction;
using aggregator::FunctionRow;
using aggregator::Setting;

MappingReader::Open OpenOf(Setting::Range range) {
  if (range == Setting::Range::kAbove) return MappingReader::Open::kLow;
  return range == Setting::Range::kBelow ? MappingReader::Open::kHigh : MappingReader::Open::kNone;
}

double ReadSetting(MappingReader& reader, const Setting& setting) {
  reader.Note(setting.name, {.meaning = setting.meaning});
  double value = setting.fallback;
  if (!setting.whole) {
    reader.Real(setting.name, value, setting.low, setting.high, OpenOf(setting.range));
    return value;
  }
  auto whole = static_cast<std::int64_t>(value);
  reader.Integer(setting.name, whole, static_cast<std::int64_t>(setting.low),
                 static_cast<std::int64_t>(setting.high));
  return static_cast<double>(whole);
}

const std::vector<Choice>& FunctionNames() {
  static const std::vector<Choice> names = [] {
    std::vector<Choice> all;
    for (const FunctionRow& row : AggregationFunctions()) {
      const auto number = static_cast<int>(all.size());
      all.push_back({.name = row.name, .value = number, .meaning = row.meaning});
      if (!row.alias.empty()) all.push_back({.name = row.alias, .value = number});
    }
    return all;
  }();
  return names;
}

const FunctionRow* ReadTemplate(MappingReader& reader) {
  reader.Require("template", "the name of an aggregation function, such as WeightedAverage");
  std::string name;
  reader.Text("template", name);
  reader.Note("template", {.words = &FunctionNames()});
  if (name.empty()) return nullptr;
  const std::string last = name.starts_with("openfl.") ? name.substr(name.rfind('.') + 1) : name;
  const FunctionRow* row = FindAggregationFunction(last);
  if (row != nullptr) return row;
  std::vector<std::string> names;
  for (const FunctionRow& one : AggregationFunctions()) names.emplace_back(one.name);
  const bool python = last == name && name.find('.') != std::string::npos;
  reader.Complain("template", format("is \"{}\", {}{}", name, Suggest(last, names),
                                     python ? " (Python classes cannot be run here)" : ""));
  return nullptr;
}

// Where the plan says which function the task has; where the task is, if it does not.
const YamlValue& PlaceOf(const YamlValue& document, const TaskName& task) {
  const YamlRef tasks = document.Find("tasks");
  const YamlRef entry = tasks ? tasks->Find(task.value) : nullptr;
  const YamlRef type = entry ? entry->Find("aggregation_type") : nullptr;
  const YamlRef name = type ? type->Find("template") : nullptr;
  return name ? *name : type ? *type : entry ? *entry : document;
}

std::vector<const TaskSpec*> TrainingTasksInUse(const Plan& plan) {
  std::vector<const TaskSpec*> tasks;
  for (const TaskGroup& group : plan.task_groups) {
    for (const TaskName& name : group.tasks) {
      const auto found = plan.tasks.find(name);
      if (found == plan.tasks.end()) continue;
      if (found->second.function == TaskFunction::kTrain) tasks.push_back(&found->second);
    }
  }
  return tasks;
}

// Of a task that is a Python class, epochs and batches are its own affair.
void CheckSteps(const Plan& plan, const TaskSpec& task, const YamlValue& place,
                Complaints& complaints) {
  const FunctionRow* row = FindAggregationFunction(task.aggregation_type.function);
  if (row == nullptr || !row->needs_steps || plan.python_parts.empty()) return;
  complaints.Add(place, format("tasks.{}.aggregation_type: {} has to know how many steps a site "
                               "takes, which a Python class does not tell; expected another "
                               "function",
                               task.name.value, row->name));
}

// What keeps sites from correcting their gradients as SCAFFOLD wants it; empty if nothing does.
std::string ObjectionToControlVariates(const Plan& plan) {
  const OptimizerSpec& optimizer = plan.task_runner.optimizer;
  if (!plan.python_parts.empty()) {
    return "has sites correct their gradients, which a Python class does not; expected another "
           "function";
  }
  if (optimizer.type != OptimizerType::kSgd || optimizer.momentum != 0) {
    return "takes the way of a site for its gradients, which it is with sgd without momentum only; "
           "expected such an optimizer";
  }
  if (optimizer.proximal != 0) {
    return format(
        "corrects how far sites drift apart, and so does the optimizer's proximal: {}; "
        "expected one of the two",
        optimizer.proximal);
  }
  if (plan.collaborator.opt_treatment == OptTreatment::kContinueGlobal) {
    return "is for sgd without momentum, which has no state to share; expected opt_treatment: "
           "RESET "
           "instead of CONTINUE_GLOBAL";
  }
  return {};
}

// Likewise, from taking a penalty for leaving where the losses of others are curved.
std::string ObjectionToCurvature(const Plan& plan) {
  if (!plan.python_parts.empty()) {
    return "has sites measure the curvature of their losses, which a Python class does not; "
           "expected another function";
  }
  if (plan.collaborator.opt_treatment == OptTreatment::kContinueGlobal) {
    return "has its sums in the model where the optimizer's state would be; expected "
           "opt_treatment: RESET or CONTINUE_LOCAL instead of CONTINUE_GLOBAL";
  }
  return {};
}

void CheckSums(const Plan& plan, const std::vector<const TaskSpec*>& tasks,
               const YamlValue& document, Complaints& complaints) {
  const TaskSpec& first = *tasks.front();
  const AggregationSpec& type = first.aggregation_type;
  if (!type.control_variates && !type.curvature) return;
  std::string objection =
      type.curvature ? ObjectionToCurvature(plan) : ObjectionToControlVariates(plan);
  for (const TaskSpec* task : tasks) {
    if (!objection.empty() || task->name == first.name) continue;
    objection = format("keeps one {} a site, so one task can train, but {} trains, too",
                       type.curvature ? "curvature" : "control variate", task->name.value);
  }
  if (objection.empty()) return;
  complaints.Add(PlaceOf(document, first.name), format("tasks.{}.aggregation_type: {} {}",
                                                       first.name.value, type.function, objection));
}

}  // namespace

void ReadAggregationType(MappingReader& task_reader, Complaints& complaints, TaskSpec& task) {
  const YamlRef value = task_reader.Get("aggregation_type");
  if (!value) return;
  MappingReader reader(value, task_reader.PathOf("aggregation_type"), complaints);
  const FunctionRow* row = ReadTemplate(reader);
  const YamlRef given = reader.Get("settings");
  reader.Finish();
  if (row == nullptr) return;
  task.aggregation_type = {.function = std::string(row->name),
                           .settings = {},
                           .control_variates = row->control_variates,
                           .curvature = row->curvature};
  MappingReader settings(given ? given : std::make_shared<YamlValue>(), reader.PathOf("settings"),
                         complaints);
  for (const Setting& setting : row->settings) {
    task.aggregation_type.settings[std::string(setting.name)] = ReadSetting(settings, setting);
  }
  settings.Finish();
  if (task.function == TaskFunction::kTrain || row->name == "WeightedAverage") return;
  reader.Complain("template", format("is {}, but a task that validates sends numbers, which are "
                                     "always averaged; expected WeightedAverage",
                                     row->name));
}

void CheckAggregation(const Plan& plan, const YamlValue& document, Complaints& complaints) {
  const std::vector<const TaskSpec*> tasks = TrainingTasksInUse(plan);
  if (tasks.empty()) return;
  const TaskSpec& first = *tasks.front();
  CheckSteps(plan, first, PlaceOf(document, first.name), complaints);
  CheckSums(plan, tasks, document, complaints);
  for (const TaskSpec* task : tasks) {
    if (task->aggregation_type == first.aggregation_type) continue;
    complaints.Add(PlaceOf(document, task->name),
                   format("tasks.{}.aggregation_type differs from that of tasks.{}; expected the "
                          "same, since all tasks that train make one model",
                          task->name.value, first.name.value));
  }
}

void CheckNumberOfSites(const Plan& plan, const YamlValue& document, Complaints& complaints) {
  const std::vector<const TaskSpec*> tasks = TrainingTasksInUse(plan);
  if (tasks.empty()) return;
  const TaskSpec& first = *tasks.front();
  const FunctionRow* row = FindAggregationFunction(first.aggregation_type.function);
  const std::size_t sites = NumWanted(plan.sampling, plan.authorized.size());
  if (row == nullptr || row->least_sites == nullptr) return;
  const std::size_t least = row->least_sites(first.aggregation_type.settings);
  if (sites >= least) return;
  complaints.Add(
      PlaceOf(document, first.name),
      format("tasks.{}.aggregation_type: {} with these settings needs {} sites, but of the "
             "{} in cols.yaml a round waits for {}; expected more sites, a greater "
             "fraction or fewer attackers",
             first.name.value, row->name, least, plan.authorized.size(), sites));
}

}  // namespace fx
