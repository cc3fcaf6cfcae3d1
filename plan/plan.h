// The plan: the agreed text of an experiment, as plain structs. Made by LoadPlan (plan/load.h),
// which has checked every value; nothing here knows YAML.
//
// Key names, sections and defaults are OpenFL's (plan.yaml); what differs is listed in
// docs/reference/plan.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/base/names.h"
#include "plan/data_spec.h"
#include "plan/network_spec.h"

namespace fx {

// When an accepted result can survive a power cut: before its sender is told, or when its round is
// closed. A crash of the process alone loses nothing either way.
enum class Durability { kResult, kRound };

// aggregator.settings.best_model and .early_stopping: which aggregated model is the best, and when
// training ends before rounds_to_train.
struct BestModelRule {
  // Of the tasks that validate the aggregated model. Empty: of the first such task, its first
  // metric that is no loss, else its first.
  std::string metric;
  enum class Direction { kByName, kMax, kMin };  // by name: losses and mae are better when lower
  Direction direction = Direction::kByName;
  // What is left of the score before: s <- smoothing * s + (1 - smoothing) * metric.
  double smoothing = 0;
  // Training stops after so many rounds in a row without a gain of more than `min_delta` over the
  // best score. None: never.
  std::optional<std::uint32_t> patience;
  double min_delta = 0;
};

// aggregator.settings
struct AggregatorSettings {
  Path init_state_path;  // .pbuf files, relative to the workspace
  Path best_state_path;
  Path last_state_path;
  std::uint32_t rounds_to_train = 10;
  std::uint32_t db_store_rounds = 2;            // committed models kept for collaborators that lag
  bool write_logs = true;                       // logs/<origin>_metrics.txt
  std::uint64_t max_update_bytes = 4ULL << 30;  // a larger update is refused by its header
  Durability durability = Durability::kResult;
  BestModelRule best_model{};
};

enum class OptTreatment { kReset, kContinueLocal, kContinueGlobal };

// collaborator.settings
struct CollaboratorSettings {
  OptTreatment opt_treatment = OptTreatment::kReset;
  bool delta_updates = false;
  std::uint32_t db_store_rounds = 1;
};

// network.settings
struct NetworkSettings {
  std::string agg_addr = "auto";  // a fully qualified name or address; "auto": this host's name
  std::uint16_t agg_port = 0;     // 0 only while the file still says "auto"
  bool tls = true;
  bool require_client_auth = true;
  std::int64_t client_reconnect_interval = 5;  // seconds between attempts, at most
  std::int64_t keep_alive = 20;                // seconds of silence before an end asks the other
  Path cert_folder = "cert";
};

enum class TaskFunction { kTrain, kValidate };
enum class ApplyTo { kGlobal, kLocal };  // validate: the aggregated or the locally trained model

// tasks.<name>.aggregation_type: a row of aggregator/functions/registry.h, and all of its settings.
struct AggregationSpec {
  std::string function = "WeightedAverage";
  std::map<std::string, double, std::less<>> settings;
  bool control_variates = false;  // the function works with them (tasks/control_variates.h)
  bool curvature = false;         // likewise, of the sites' losses (tasks/curvature.h)
  bool operator==(const AggregationSpec&) const = default;
};

// tasks.<name>
struct TaskSpec {
  TaskName name;
  TaskFunction function = TaskFunction::kTrain;
  ApplyTo apply = ApplyTo::kGlobal;
  // What to report: loss, accuracy (or acc), dice, iou, precision, recall, f1, auroc, mae.
  std::vector<std::string> metrics;
  std::int64_t epochs = 1;                 // train
  std::optional<std::int64_t> batch_size;  // overrides the data loader's
  AggregationSpec aggregation_type{};      // of those that train
};

// assigner.settings.task_groups[i]
struct TaskGroup {
  std::string name;
  double percentage = 1.0;                      // RandomGroupedAssigner
  std::vector<CollaboratorName> collaborators;  // StaticGroupedAssigner
  std::vector<TaskName> tasks;
};

enum class AssignerType { kRandomGrouped, kStaticGrouped };

// assigner.settings: how many collaborators take part in a round (McMahan et al. 2017, algorithm 1:
// max(C K, 1)), and how many more are asked than are waited for (Bonawitz et al. 2019,
// section 2.2).
struct Sampling {
  double fraction = 1.0;      // of all collaborators
  std::size_t minimum = 1;    // never fewer than so many, unless there are fewer
  double over_selection = 0;  // this share more is asked; the round closes without the slowest
};

// straggler_handling_policy: when a round may close without everyone.
struct StragglerPolicy {
  // Cut-off: milliseconds from the first task handed out in the round; none: wait for all.
  std::optional<std::int64_t> cutoff_ms;
  // Percentage: close as soon as this share is done; 1: all.
  double percent_needed = 1.0;
  std::size_t minimum_reporting = 1;
};

// A part of the plan that only Python can run; see plan/python_parts.h.
struct PythonPart {
  std::string key;      // "task_runner.template"
  std::string found;    // "src.taskrunner.KerasCNN"
  std::string instead;  // what does its job here
};

struct Plan {
  AggregatorSettings aggregator;
  CollaboratorSettings collaborator;
  DataLoaderSettings data_loader;
  NetworkSpec task_runner;
  NetworkSettings network;
  AssignerType assigner = AssignerType::kRandomGrouped;
  Sampling sampling;
  std::vector<TaskGroup> task_groups;
  std::map<TaskName, TaskSpec> tasks;
  StragglerPolicy stragglers;

  // Of data_loader and task_runner; the struct of such a section stays as it is. Without the
  // latter, task_runner has no layers, and the model is whatever init_state_path holds.
  std::vector<PythonPart> python_parts;

  // Who may take part, in the order of cols.yaml: the canonical order of every sum.
  std::vector<CollaboratorName> authorized;

  // The plan's identity: SHA-384 of its canonical text, and the names derived from it.
  std::string digest;           // 96 hex digits
  std::string federation_uuid;  // "plan.yaml_" + first 8 digits
  std::string aggregator_uuid;  // "aggregator_" + federation_uuid
};

}  // namespace fx
