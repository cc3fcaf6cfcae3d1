#include "tests/transcripts/transcript.h"

#include <gtest/gtest.h>

#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "aggregator/engine/engine.h"
#include "aggregator/store/record_json.h"
#include "tests/transcripts/print.h"

namespace fx::aggregator {
namespace {

// One word of the script, parsed as a T.
template <typename T>
T Take(std::istringstream& words) {
  T value{};
  words >> value;
  return value;
}

template <typename N>
std::vector<N> Split(const std::string& text) {
  std::vector<N> names;
  std::istringstream list(text);
  for (std::string name; std::getline(list, name, ',');) names.push_back({name});
  return names;
}

std::pair<std::string, std::string> KeyValue(const std::string& word) {
  const std::size_t equals = word.find('=');
  return {word.substr(0, equals), word.substr(equals + 1)};
}

// The plan as the script tells it, line by line.
class PlanScript {
 public:
  PlanScript() { plan_.digest = "transcript"; }
  const Plan& plan() const { return plan_; }
  void SetMembers(const std::vector<CollaboratorName>& members) { plan_.authorized = members; }

  bool Run(const std::string& command, std::istringstream& words) {
    if (command == "plan") return Settings(words);
    if (command == "task") return Task(words);
    return command == "group" && Group(words);
  }

 private:
  bool Settings(std::istringstream& words) {
    for (std::string word; words >> word;) {
      const auto [key, value] = KeyValue(word);
      if (key == "cols") plan_.authorized = Split<CollaboratorName>(value);
      if (key == "rounds") plan_.aggregator.rounds_to_train = Unsigned(value);
      if (key == "keep") plan_.aggregator.db_store_rounds = Unsigned(value);
      if (key == "cutoff") plan_.stragglers.cutoff_ms = std::stoll(value);
      if (key == "minimum") plan_.stragglers.minimum_reporting = Unsigned(value);
      if (key == "metric") plan_.aggregator.best_model.metric = value;
      if (key == "smoothing") plan_.aggregator.best_model.smoothing = std::stod(value);
      if (key == "patience") plan_.aggregator.best_model.patience = Unsigned(value);
      if (key == "fraction") plan_.sampling.fraction = std::stod(value);
      if (key == "least") plan_.sampling.minimum = Unsigned(value);
      if (key == "over") plan_.sampling.over_selection = std::stod(value);
      if (key == "percent") plan_.stragglers.percent_needed = std::stod(value);
      if (key == "assigner" && value == "static") plan_.assigner = AssignerType::kStaticGrouped;
    }
    return true;
  }

  bool Task(std::istringstream& words) {
    TaskSpec task;
    task.name = {Take<std::string>(words)};
    const auto kind = Take<std::string>(words);
    const bool trains = kind == "trains" || kind == "scaffolds";
    task.function = trains ? TaskFunction::kTrain : TaskFunction::kValidate;
    task.aggregation_type.control_variates = kind == "scaffolds";
    if (words >> std::ws && !words.eof())
      task.metrics = Split<std::string>(Take<std::string>(words));
    task.apply = kind == "judges" ? ApplyTo::kGlobal : ApplyTo::kLocal;
    plan_.tasks[task.name] = task;
    return true;
  }

  bool Group(std::istringstream& words) {
    const auto share = Take<std::string>(words);
    TaskGroup group;
    group.tasks = Split<TaskName>(Take<std::string>(words));
    if (plan_.assigner == AssignerType::kStaticGrouped) {
      group.collaborators = Split<CollaboratorName>(share);
    } else {
      group.percentage = std::stod(share);
    }
    plan_.task_groups.push_back(std::move(group));
    return true;
  }

  static std::uint32_t Unsigned(const std::string& text) {
    return static_cast<std::uint32_t>(std::stoul(text));
  }

  Plan plan_;
};

std::optional<EventBody> ParseEvent(const std::string& command, std::istringstream& words) {
  if (command == "start") return Started{{Take<std::string>(words)}};
  if (command == "clock") return ClockAdvanced{};
  if (command == "members") {
    const auto names = Take<std::string>(words);
    return MembersChanged{Split<CollaboratorName>(names == "-" ? std::string() : names)};
  }
  if (command == "cut-off") return CutOffRequested{RequestId{Take<std::uint64_t>(words)}};
  if (command == "pause") return PauseRequested{RequestId{Take<std::uint64_t>(words)}};
  if (command == "ask") {
    const RequestId request{Take<std::uint64_t>(words)};
    return TasksRequested{.who = {Take<std::string>(words)}, .request = request};
  }
  if (command == "aggregated") {
    const Round round{Take<std::uint32_t>(words)};
    return AggregationFinished{.round = round, .model = {Take<std::string>(words)}};
  }
  if (command == "fail") {
    TaskFailed failed{.who = {},
                      .request = RequestId{Take<std::uint64_t>(words)},
                      .round = {},
                      .task = {},
                      .reason = {}};
    failed.who = {Take<std::string>(words)};
    failed.round = Round{Take<std::uint32_t>(words)};
    failed.task = {Take<std::string>(words)};
    std::getline(words >> std::ws, failed.reason);
    return failed;
  }
  if (command != "stage") return std::nullopt;
  ResultStaged result{};
  result.request = RequestId{Take<std::uint64_t>(words)};
  result.who = {Take<std::string>(words)};
  result.round = Round{Take<std::uint32_t>(words)};
  result.task = {Take<std::string>(words)};
  result.update = {Take<std::string>(words)};
  if (result.update.value == "-") result.update.value.clear();
  result.num_samples = Take<std::int64_t>(words);
  for (std::string word; words >> word;) {
    const auto [name, value] = KeyValue(word);
    result.metrics.push_back({.name = name, .value = std::stod(value)});
  }
  return result;
}

class Runner {
 public:
  std::string Run(const std::string& script, TranscriptOptions options) {
    std::istringstream lines(script);
    for (std::string line; std::getline(lines, line);) {
      if (line.empty() || line.starts_with('#')) continue;
      out_ << line << "\n";
      RunLine(line);
      if (!options.crash_after_every_command || !engine_) continue;
      Rebuild();
      engine_->Resume();
    }
    return out_.str();
  }

 private:
  void RunLine(const std::string& line) {
    std::istringstream words(line);
    at_ = TimeMs{Take<std::int64_t>(words)};
    const auto command = Take<std::string>(words);
    if (plan_.Run(command, words)) return;
    if (command == "crash") return Crash(words);
    const std::optional<EventBody> event = ParseEvent(command, words);
    if (!event) {
      ADD_FAILURE() << "unknown command: " << line;
      return;
    }
    if (const auto* started = std::get_if<Started>(&*event)) {
      started_ = *started;
      Rebuild();
    }
    if (const auto* changed = std::get_if<MembersChanged>(&*event)) {
      plan_.SetMembers(changed->members);
    }
    if (!engine_) {
      ADD_FAILURE() << "before start: " << line;
      return;
    }
    Keep(engine_->Step({.at = at_, .body = *event}));
  }

  // What the shell does when it comes up again. Each word is a result, who/task, that is lost.
  void Crash(std::istringstream& words) {
    Started started = started_;
    for (std::string word; words >> word;) {
      const std::size_t slash = word.find('/');
      started.lost.push_back({.who = {word.substr(0, slash)}, .task = {word.substr(slash + 1)}});
    }
    Rebuild();
    Keep(engine_->Resume());
    Keep(engine_->Step({.at = at_, .body = started}));
  }

  void Rebuild() {
    engine_.emplace(OptionsFor(plan_.plan()));
    for (const auto& [type, payload] : journal_) {
      const Result<Record> record = FromJson(type, payload);
      ASSERT_TRUE(record.has_value()) << record.error().Render();
      engine_->Replay(*record);
    }
  }

  void Keep(const Ready& ready) {
    for (const Record& record : ready.records) {
      journal_.emplace_back(TypeOf(record), ToJson(record));
      out_ << Print(record) << "\n";
    }
    for (const Action& action : ready.actions) out_ << Print(action) << "\n";
    if (const auto deadline = engine_->NextDeadline()) out_ << "@ " << Count(*deadline) << "\n";
  }

  std::ostringstream out_;
  PlanScript plan_;
  TimeMs at_{};
  Started started_;
  std::optional<Engine> engine_;
  std::vector<std::pair<std::string, std::string>> journal_;
};

}  // namespace

std::string RunTranscript(const std::string& script, TranscriptOptions options) {
  return Runner{}.Run(script, options);
}

}  // namespace fx::aggregator
