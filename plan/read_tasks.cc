// The sections tasks and assigner: what is run, and in which groups.
#include <algorithm>

#include "core/base/format.h"
#include "plan/metric_names.h"
#include "plan/names_check.h"
#include "plan/read_aggregation.h"
#include "plan/read_sections.h"
#include "plan/section_reader.h"

namespace fx {
namespace {

// Complains about a metric that is none, or that means nothing for the network. That is empty
// after a complaint about its layers.
void CheckMetric(MappingReader& kwargs, const std::string& path, const std::string& name,
                 const NetworkSpec& network, Complaints& complaints) {
  const auto is_in = [&](const std::vector<std::string>& names) {
    return std::ranges::find(names, name) != names.end();
  };
  const YamlRef place = kwargs.Get("metrics");
  if (!is_in(MetricNames())) {
    complaints.Add(*place, format("{} is \"{}\", {}", path, name, Suggest(name, MetricNames())));
    return;
  }
  if (network.layers.empty() || network.output().empty()) return;
  const std::vector<std::string> known = MetricNamesFor(network);
  if (is_in(known)) return;
  std::string list;
  for (const std::string& one : known) list += (list.empty() ? "" : ", ") + one;
  complaints.Add(*place, format("{} is {}, which means nothing for this loss and the output {}, "
                                "expected one of {}",
                                path, name, ToString(network.output()), list));
}

const std::vector<Choice>& MetricWords() {
  static const std::vector<Choice> words = [] {
    std::vector<Choice> all;
    for (const std::string& name : MetricNames()) all.push_back({.name = name, .value = 0});
    return all;
  }();
  return words;
}

void ReadMetrics(MappingReader& kwargs, const NetworkSpec& network, TaskSpec& task,
                 Complaints& complaints) {
  const char* const score = network.loss.type == LossType::kMse ? "mae" : "accuracy";
  task.metrics = {task.function == TaskFunction::kTrain ? "loss" : score};
  kwargs.Texts("metrics", task.metrics);
  kwargs.Note("metrics", {.kind = "list of", .words = &MetricWords()});
  if (!kwargs.Has("metrics")) return;
  for (std::size_t i = 0; i < task.metrics.size(); ++i) {
    CheckMetric(kwargs, format("{}[{}]", kwargs.PathOf("metrics"), i), task.metrics[i], network,
                complaints);
  }
}

void ReadKwargs(MappingReader& task_reader, const NetworkSpec& network, TaskSpec& task,
                Complaints& complaints) {
  YamlRef value = task_reader.Get("kwargs");
  if (!value) value = std::make_shared<YamlValue>();
  MappingReader kwargs(value, task_reader.PathOf("kwargs"), complaints);
  ReadMetrics(kwargs, network, task, complaints);
  std::int64_t batch_size = 0;
  kwargs.Integer("batch_size", batch_size, 1, 1'000'000);
  if (batch_size > 0) task.batch_size = batch_size;
  if (task.function == TaskFunction::kTrain) {
    kwargs.Integer("epochs", task.epochs, 1, 1'000'000);
  } else {
    int apply = static_cast<int>(task.apply);
    kwargs.Pick("apply",
                {{"global", static_cast<int>(ApplyTo::kGlobal)},
                 {"local", static_cast<int>(ApplyTo::kLocal)}},
                apply);
    task.apply = static_cast<ApplyTo>(apply);
  }
  kwargs.Finish();
}

// Of a task in Python only what the aggregator needs to know. Its function may have any name; like
// OpenFL, which weighs tasks by their names, this goes by the words in it.
void ReadPythonTask(MappingReader& reader, const YamlValue& settings, TaskSpec& task) {
  std::string function;
  reader.Require("function", "the name of a method");
  reader.Text("function", function);
  const auto has = [](const std::string& text, std::string_view word) {
    return text.find(word) != std::string::npos;
  };
  const bool trains =
      has(function, "train") || (!has(function, "valid") && has(task.name.value, "train"));
  task.function = trains ? TaskFunction::kTrain : TaskFunction::kValidate;
  const YamlRef apply = settings.Find("apply");
  const bool local = apply && apply->is_string() && apply->scalar.text == "local";
  task.apply = local ? ApplyTo::kLocal : ApplyTo::kGlobal;
}

// The function of a task we run, and its kwargs.
void ReadNativeTask(MappingReader& reader, const NetworkSpec& network, Complaints& complaints,
                    TaskSpec& task) {
  int function = -1;
  reader.Require("function", "train or validate");
  reader.Pick("function",
              {{"train", static_cast<int>(TaskFunction::kTrain)},
               {"validate", static_cast<int>(TaskFunction::kValidate)},
               {"train_task", static_cast<int>(TaskFunction::kTrain)},
               {"train_batches", static_cast<int>(TaskFunction::kTrain)},
               {"validate_task", static_cast<int>(TaskFunction::kValidate)}},
              function);
  if (function < 0) return;
  task.function = static_cast<TaskFunction>(function);
  ReadKwargs(reader, network, task, complaints);
}

void ReadTask(const YamlEntry& entry, const NetworkSpec* network, Complaints& complaints,
              std::map<TaskName, TaskSpec>& out) {
  const std::string& name = KeyText(*entry.key);
  const std::string path = "tasks." + name;
  const std::string problem = TaskNameProblem(name);
  if (!problem.empty()) complaints.Add(*entry.key, format("{}: the name {}", path, problem));
  MappingReader reader(entry.value, path, complaints);
  TaskSpec task;
  task.name = {name};
  const YamlRef kwargs = reader.Get("kwargs");
  if (network != nullptr) {
    ReadNativeTask(reader, *network, complaints, task);
  } else {
    ReadPythonTask(reader, kwargs ? *kwargs : YamlValue(), task);
  }
  ReadAggregationType(reader, complaints, task);
  reader.Finish();
  out.emplace(task.name, std::move(task));
}

void ReadGroup(const YamlRef& value, const std::string& path, AssignerType type,
               Complaints& complaints, TaskGroup& group) {
  MappingReader reader(value, path, complaints);
  reader.Require("name", "a name for the group");
  reader.Text("name", group.name);
  std::vector<std::string> tasks;
  std::vector<std::string> collaborators;
  reader.Require("tasks", "a list of names of tasks");
  reader.Texts("tasks", tasks);
  for (std::string& task : tasks) group.tasks.push_back({std::move(task)});
  if (type == AssignerType::kStaticGrouped) {
    reader.Require("collaborators", "a list of names of collaborators");
    reader.Texts("collaborators", collaborators);
    for (std::string& name : collaborators) group.collaborators.push_back({std::move(name)});
    reader.Real("percentage", group.percentage, 0, 1);
  } else {
    reader.Require("percentage", "the group's share of all collaborators, above 0, to 1");
    reader.Real("percentage", group.percentage, 0, 1, MappingReader::Open::kLow);
  }
  reader.Finish();
}

void ReadSampling(MappingReader& settings, Sampling& out) {
  settings.Real("fraction", out.fraction, 0, 1, MappingReader::Open::kLow);
  std::uint32_t minimum = 1;
  settings.Integer("minimum", minimum, 1, 1'000'000);
  out.minimum = minimum;
  settings.Real("over_selection", out.over_selection, 0, 10);
  if (out.fraction == 1 && settings.Has("minimum")) {
    settings.Complain("minimum", "changes nothing where everybody takes part (fraction 1)");
  }
  if (out.fraction == 1 && out.over_selection > 0) {
    settings.Complain("over_selection",
                      "asks more than are waited for, but nobody is left where everybody takes "
                      "part (fraction 1); percent_collaborators_needed closes a round early");
  }
}

}  // namespace

void ReadTasks(const YamlValue& plan, const NetworkSpec* network, Complaints& complaints,
               std::map<TaskName, TaskSpec>& out) {
  if (KeyObserver* observer = complaints.observer()) {
    observer->Note("tasks", {.kind = "section", .needed = true});
  }
  const YamlRef section = plan.Find("tasks");
  if (!section || !section->is_mapping()) {
    complaints.Add(section ? *section : plan, "the section tasks is missing");
    return;
  }
  for (const YamlEntry& entry : section->entries) {
    if (KeyText(*entry.key) == "settings") {
      MappingReader(entry.value, "tasks.settings", complaints).Finish();
    } else {
      ReadTask(entry, network, complaints, out);
    }
  }
}

void ReadAssigner(const YamlValue& plan, Complaints& complaints, Plan& out) {
  SectionReader section(plan, "assigner", SectionReader::Need::kRequired, complaints);
  int picked = static_cast<int>(out.assigner);
  section.Template({{"RandomGroupedAssigner", static_cast<int>(AssignerType::kRandomGrouped)},
                    {"StaticGroupedAssigner", static_cast<int>(AssignerType::kStaticGrouped)}},
                   picked);
  out.assigner = static_cast<AssignerType>(picked);
  MappingReader& settings = section.settings();
  const YamlRef list = settings.Require("task_groups", "a list of groups");
  if (list && (!list->is_sequence() || list->items.empty())) {
    settings.Complain("task_groups", format("is {}, expected a list of groups", Describe(*list)));
  } else if (list) {
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      const std::string path = format("{}[{}]", settings.PathOf("task_groups"), i);
      ReadGroup(list->items[i], path, out.assigner, complaints, out.task_groups.emplace_back());
    }
  }
  ReadSampling(settings, out.sampling);
  section.Finish();
}

void CheckSectionNames(const YamlValue& plan, Complaints& complaints) {
  std::vector<std::string> known = {"aggregator",
                                    "assigner",
                                    "collaborator",
                                    "compression_pipeline",
                                    "data_loader",
                                    "network",
                                    "straggler_handling_policy",
                                    "task_runner",
                                    "tasks"};
  for (const YamlEntry& entry : plan.entries) {
    const std::string& name = KeyText(*entry.key);
    if (std::ranges::find(known, name) != known.end()) continue;
    complaints.Add(*entry.key, format("the section {} is unknown, {}", name, Suggest(name, known)));
  }
}

}  // namespace fx
