#include "collaborator/task_loop.h"

#include <array>
#include <string_view>
#include <utility>
#include <variant>

#include "core/base/failpoint.h"
#include "core/base/format.h"
#include "core/base/log.h"
#include "core/base/metrics_file.h"
#include "core/tensor/model_file.h"

namespace fx::collaborator {
namespace {

// Calls of ours that may still be on their way to the aggregator, in connections long given up.
constexpr int kOldCalls = 4;

// The link has waited already, so the step is simply done again.
bool TryAgain(const Error& error) {
  return error.code() == ErrorCode::kUnavailable || error.code() == ErrorCode::kDeadlineExceeded;
}

bool RoundMovedOn(const Error& error) {
  return error.code() == ErrorCode::kAborted || error.code() == ErrorCode::kFailedPrecondition ||
         error.code() == ErrorCode::kNotFound;
}

// What the failpoints of a step are called; in the order of the alternatives of Step.
[[maybe_unused]] constexpr std::array<std::string_view, std::variant_size_v<Step>> kStepScopes = {
    "ask", "fetch", "run", "send", "close", "tidy", "leave"};

std::string RoundText(Round round) {
  return std::to_string(Number(round));
}

std::string ListText(const std::vector<TaskName>& tasks) {
  std::string text;
  for (const TaskName& task : tasks) text += (text.empty() ? "" : ", ") + task.value;
  return "[" + text + "]";
}

std::string MetricsText(const std::vector<Metric>& metrics) {
  std::string text;
  for (const Metric& metric : metrics) {
    text += (text.empty() ? "" : " ") + format("{}={:.6g}", metric.name, metric.value);
  }
  return text;
}

// The line of the round in the metrics file. It follows from what is on disk, down to the seconds,
// so a line written before a crash is the line that would be written after it.
std::string LineOf(const CloseRound& close, const CollaboratorName& who) {
  double seconds = 0;
  std::vector<Metric> metrics;
  for (const FinishedTask& result : close.results) {
    seconds += result.seconds;
    for (const Metric& metric : result.metrics) {
      metrics.push_back(
          {.name = who.value + "/" + result.task.value + "/" + metric.name, .value = metric.value});
    }
  }
  return MetricsLine(close.round, seconds, metrics);
}

SessionOptions SessionOptionsOf(const TaskLoopOptions& options) {
  return {.tasks = options.tasks,
          .keep_models = options.settings.db_store_rounds,
          .follow_the_model = options.has_sums};
}

}  // namespace

TaskLoop::TaskLoop(TaskLoopOptions options, LocalStore store, Link& link, TaskRunner& runner)
    : options_(std::move(options)),
      store_(std::move(store)),
      link_(link),
      runner_(runner),
      session_(SessionOptionsOf(options_), store_.remembered()) {}

Status TaskLoop::Run() {
  while (!over_) {
    const Step step = session_.Next();
    FX_FAILPOINT_SCOPE(kStepScopes.at(step.index()));
    FX_FAILPOINT("before");
    if (options_.doing) options_.doing(step);
    Status done = std::visit([this](const auto& what) { return Do(what); }, step);
    FX_FAILPOINT("after");
    if (options_.stop.stop_requested() && !over_) {
      return Fail(Error(ErrorCode::kCancelled, "stopped before the federation was over")
                      .Hint("the same command continues where this one stopped"));
    }
    if (!done) return done;
  }
  return Ok();
}

Status TaskLoop::Do(const AskForTasks&) {
  if (!std::exchange(waiting_, true)) LogInfo("Waiting for tasks...");
  auto answer = link_.GetTasks();
  FX_FAILPOINT("answered");
  if (!answer) {
    if (TryAgain(answer.error())) return Ok();
    // Two calls under this name. A few times, the other may be an older one of ours that was stuck
    // in a dead connection; if it is another process, one of the two gives up.
    if (answer.error().code() == ErrorCode::kAborted && ++superseded_ <= kOldCalls) return Ok();
    return Fail(std::move(answer).error().In("cannot get tasks from the aggregator"));
  }
  superseded_ = 0;
  if (!*answer) return Ok();
  const TaskAssignment& assignment = **answer;
  TRY(session_.OnAssigned(assignment));
  waiting_ = false;
  if (!assignment.quit) {
    LogInfo("Received the following tasks: " + ListText(assignment.tasks),
            {{"round", RoundText(assignment.round)}});
  }
  return Ok();
}

Status TaskLoop::Do(const FetchModel& fetch) {
  TRY(In(store_.ExpectModel(fetch.model, fetch.size), "cannot make room for the round's model"));
  auto fetched = link_.Download(fetch.model, fetch.size, store_.ModelPath(fetch.model));
  if (fetched) {
    session_.OnFetched(fetch.model);
    return Ok();
  }
  if (TryAgain(fetched.error())) return Ok();
  if (RoundMovedOn(fetched.error()) && IsFirstRefusal(fetch.model.value)) {
    session_.OnRoundMovedOn();
    return Ok();
  }
  return In(std::move(fetched), "cannot download the model of the round");
}

Status TaskLoop::Do(const RunTask& run) {
  if (HoursAreOver()) link_.Rest();
  if (options_.limits) TRY(options_.limits->WaitUntilOpen());
  const double begin = options_.clock();
  auto report = RunOnce(run);
  FX_FAILPOINT("ran");
  if (options_.clear) options_.clear();
  const bool ended = !report && report.error().code() == ErrorCode::kCancelled;
  if (ended && options_.limits && !options_.stop.stop_requested()) return Pause(run);
  if (!report) return GiveUp(run, std::move(report).error());
  FinishedTask finished = TRY(Store(run, *std::move(report), options_.clock() - begin));
  LogInfo("task finished", {{"round", RoundText(finished.round)},
                            {"task", finished.task.value},
                            {"samples", std::to_string(finished.num_samples)},
                            {"seconds", format("{:.2f}", finished.seconds)},
                            {"metrics", MetricsText(finished.metrics)}});
  for (const Metric& metric : finished.metrics) {
    LogInfo(MetricText(finished.round, options_.name.value, finished.task, metric));
  }
  session_.OnFinished(std::move(finished));
  return Ok();
}

// Training begins again from the round's model, as after a crash, so the hours do not show in the
// result. A task that had the hours from their beginning and was not done by their end never will
// be.
Status TaskLoop::Pause(const RunTask& run) {
  held_.clear();
  const std::pair at(run.round, run.task);
  if (paused_ == at) {
    return GiveUp(run, Error(ErrorCode::kFailedPrecondition,
                             "it takes longer than this site's hours, from their beginning to "
                             "their end")
                           .Hint("give it longer hours in site.yaml, or less data"));
  }
  paused_ = at;
  LogInfo(format("task {} of round {} ends with this site's hours, and begins again with the next",
                 run.task.value, Number(run.round)));
  return Ok();
}

// The others need not wait for a site that cannot do its part.
Status TaskLoop::GiveUp(const RunTask& run, Error error) {
  held_.clear();
  const std::string what = format("task {} of round {} failed", run.task.value, Number(run.round));
  if (error.code() == ErrorCode::kCancelled) return Fail(std::move(error).In(what));
  LogError(what, {{"reason", error.OneLine()}});
  const Status reported =
      link_.Report({.round = run.round, .task = run.task, .reason = error.OneLine()});
  if (error.code() != ErrorCode::kOutOfRange) return Fail(std::move(error).In(what));
  if (!reported && TryAgain(reported.error())) return Ok();
  if (!reported && !RoundMovedOn(reported.error()))
    return In(reported, "cannot report that " + what);
  session_.OnRoundMovedOn();
  return Ok();
}

Result<TaskReport> TaskLoop::RunOnce(const RunTask& run) {
  TRY(LoadParameters(run));
  TaskContext context{
      .round = run.round, .collaborator = options_.name, .progress = {}, .cancelled = [this] {
        return options_.stop.stop_requested() || HoursAreOver();
      }};
  if (options_.show) {
    context.progress = [&](const Progress& progress) {
      options_.show(run.round, run.task, progress);
    };
  }
  const TaskSpec& spec = options_.tasks.at(run.task);
  if (spec.function == TaskFunction::kValidate) return runner_.Validate(spec, context);
  TRY(LoadOptimizer(run));
  held_.clear();
  return runner_.Train(spec, context);
}

Status TaskLoop::LoadParameters(const RunTask& run) {
  const std::string& wanted = run.trained ? run.trained->update.value : run.model.value;
  if (held_ == wanted) return Ok();
  const Path path = run.trained ? store_.UpdatePath(*run.trained) : store_.ModelPath(run.model);
  const ModelFile file = TRY(ModelFile::Open(path));
  held_.clear();
  TRY(runner_.SetParameters(file.View()));
  held_ = wanted;
  return Ok();
}

// Always from disk, so that a process that was restarted trains exactly as one that was not.
Status TaskLoop::LoadOptimizer(const RunTask& run) {
  runner_.ResetOptimizer();
  if (run.state_is_lost) {
    return Fail(
        Error(ErrorCode::kFailedPrecondition,
              "the model holds an update of this site, but the part of its sums that goes "
              "with it is not in local_state")
            .Hint("put this site's local_state back as it was; if that is gone, the aggregator can "
                  "forget the part: fx aggregator remove -n with this site's name, two rounds "
                  "later add -n, and then start this site again"));
  }
  if (!KeepsState() || !run.optimizer) return Ok();
  const ModelFile file = TRY(ModelFile::Open(store_.OptimizerPath(*run.optimizer)));
  return runner_.SetOptimizerState(file.View());
}

bool TaskLoop::KeepsState() const {
  return options_.has_sums || options_.settings.opt_treatment != OptTreatment::kReset;
}

Result<FinishedTask> TaskLoop::Store(const RunTask& run, TaskReport report, double seconds) {
  FinishedTask finished{.round = run.round,
                        .task = run.task,
                        .model = run.model,
                        .sequence = run.sequence,
                        .num_samples = report.num_samples,
                        .metrics = std::move(report.metrics),
                        .seconds = seconds,
                        .update = {},
                        .size = 0,
                        .optimizer = {}};
  if (options_.tasks.at(run.task).function == TaskFunction::kValidate) {
    return store_.Add(std::move(finished), nullptr, nullptr);
  }
  const Model trained = runner_.GetParameters();
  Model optimizer;
  if (KeepsState()) optimizer = runner_.GetOptimizerState();
  finished =
      TRY(store_.Add(std::move(finished), &trained, optimizer.empty() ? nullptr : &optimizer));
  held_ = finished.update.value;
  return finished;
}

Status TaskLoop::Do(const SendResult& send) {
  const FinishedTask& result = send.result;
  auto sent = link_.Send({.round = result.round,
                          .task = result.task,
                          .num_samples = result.num_samples,
                          .metrics = result.metrics,
                          .file = result.trained() ? store_.UpdatePath(result) : Path(),
                          .update = result.update,
                          .size = result.size});
  FX_FAILPOINT("sent");
  if (sent) {
    TRY(store_.MarkSent(result));
    session_.OnSent();
    return Ok();
  }
  if (TryAgain(sent.error())) return Ok();
  const std::string what = format("{} of round {}", result.task.value, Number(result.round));
  if (RoundMovedOn(sent.error()) && IsFirstRefusal(what)) {
    LogWarning("the aggregator no longer wants the result of " + what,
               {{"reason", sent.error().message()}});
    session_.OnRoundMovedOn();
    return Ok();
  }
  return In(std::move(sent), "cannot send the result of " + what);
}

// Once is a race with the end of the round; the same again is not.
bool TaskLoop::IsFirstRefusal(const std::string& what) {
  return std::exchange(refused_, what) != what;
}

Status TaskLoop::Do(const CloseRound& close) {
  if (!options_.metrics_file.empty()) {
    const std::string line = LineOf(close, options_.name);
    TRY(In(AppendMissingLines(options_.metrics_file, {&line, 1}), "cannot write the metrics"));
  }
  TRY(store_.MarkClosed(close.round));
  session_.OnClosed();
  return Ok();
}

Status TaskLoop::Do(const Tidy& tidy) {
  TRY(In(store_.Keep(tidy.models, tidy.results), "cannot remove what is no longer needed"));
  session_.OnTidied();
  return Ok();
}

Status TaskLoop::Do(const Leave&) {
  link_.SayGoodbye();
  TRY(In(store_.RemoveSpares(), "cannot remove what is no longer needed"));
  LogInfo("End of Federation reached. Exiting...");
  over_ = true;
  return Ok();
}

}  // namespace fx::collaborator
