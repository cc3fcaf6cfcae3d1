#include "aggregator/runtime.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <set>
#include <utility>
#include <variant>

#include "aggregator/aggregate_job.h"
#include "aggregator/engine/engine.h"
#include "aggregator/initial_model.h"
#include "aggregator/model_saver.h"
#include "aggregator/report.h"
#include "aggregator/server/rules.h"
#include "aggregator/server/server.h"
#include "aggregator/state_folder.h"
#include "aggregator/worker.h"
#include "core/base/bounded_queue.h"
#include "core/base/format.h"
#include "core/base/log.h"
#include "core/base/metrics_file.h"

namespace fx::aggregator {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kMaxEvents = 4096;  // waiting for the engine
constexpr std::size_t kOwnEvents = 64;    // room for those of our own threads
constexpr std::size_t kMaxDiskJobs = 1024;
constexpr std::size_t kUploadsAtOnce = 64;
constexpr auto kIdle = std::chrono::hours(1);  // the engine wakes at least so often

TimeMs SystemNow() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return TimeMs{std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count()};
}

std::int64_t SteadyMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now().time_since_epoch())
      .count();
}

struct JobFailed {
  Error error;
};
struct StopRequested {};
using Message = std::variant<EventBody, JobFailed, StopRequested>;

}  // namespace

// Declared in the order of construction; the destructor undoes it in Stop().
class Runtime::Impl {
 public:
  Impl(RuntimeOptions options, Path folder, StateFolder state)
      : options_(std::move(options)),
        folder_(std::move(folder)),
        state_(std::move(state)),
        engine_(OptionsFor(options_.plan)),
        report_(options_.plan, options_.table),
        saver_(state_.models, options_.workspace / options_.plan.aggregator.best_state_path,
               options_.workspace / options_.plan.aggregator.last_state_path) {}
  ~Impl() { Stop(); }

  Status Prepare();
  Result<Outcome> Run();
  void RequestStop();

  std::uint16_t port() const { return server_->port(); }
  bool already_finished() const { return already_finished_; }
  const Path& folder() const { return folder_; }

 private:
  Status Replay();
  Status CheckMembers() const;
  Status OpenModel();
  Status StartServer();
  bool PostFromCall(EventBody event);

  Status Loop();
  Status Handle(Message message);
  Status Process(EventBody event);
  Status Process(EventBody event, TimeMs at);
  Status Execute(Ready ready, TimeMs at);
  Status TickIfDue();
  Steady::time_point NextWake() const;
  bool done() const;
  void Stop();

  void Do(const ReplyTasks& action);
  void Do(const ReplyWait& action) { waiters_.Park(action.request); }
  void Do(const ReplyQuit& action);
  void Do(const ReplyAccepted& action);
  void Do(const ReplyRejected& action);
  void Do(const AggregateRound& action);
  void Do(const SaveBestModel& action);
  void Do(const SaveLastModel& action);
  void Do(const WakeWaiters& action);
  void Do(const Prune& action);
  void Do(const Shutdown& action);
  void UpdateMetricsFile();
  TimeMs Now() const { return options_.now ? options_.now() : SystemNow(); }

  const RuntimeOptions options_;
  const Path folder_;
  StateFolder state_;
  Engine engine_;
  Report report_;
  ModelSaver saver_;  // on the I/O thread only
  ModelId model_;     // what Started is told
  bool already_finished_ = false;

  BoundedQueue<Message> messages_{kMaxEvents + kOwnEvents};
  std::atomic<std::size_t> from_calls_{0};  // of messages_
  std::atomic<bool> stop_requested_{false};
  std::deque<EventBody> again_;     // requests to put to the engine once more
  std::optional<TimeMs> ticked_;    // the deadline the engine was last told of
  bool leaving_ = false;            // the federation is over
  Steady::time_point last_call_{};  // leaves then, whoever is missing
  Steady::time_point leave_at_{};
  std::set<CollaboratorName> told_;  // that it is over

  RoundBoard board_;
  Waiters waiters_;
  UploadSlots slots_{kUploadsAtOnce, SteadyMs};
  Worker io_{"fx-io", kMaxDiskJobs};
  Worker fold_{"fx-fold", 1};
  std::optional<CallEnv> env_;
  std::unique_ptr<Server> server_;
};

Status Runtime::Impl::Prepare() {
  TRY(Replay());
  TRY(CheckMembers());
  TRY(OpenModel());
  board_.Publish(ViewOf(engine_.state()));
  return StartServer();
}

Status Runtime::Impl::Replay() {
  for (const Journal::Entry& entry : TRY(state_.journal.Load())) {
    engine_.Replay(entry.record);
    report_.Replayed(entry.at, entry.record);
  }
  already_finished_ = engine_.state().phase == Phase::kFinished;
  return Ok();
}

// A round that is under way needs everyone it was opened with.
Status Runtime::Impl::CheckMembers() const {
  const State& state = engine_.state();
  if (state.phase == Phase::kIdle || state.phase == Phase::kFinished) return Ok();
  for (const auto& [who, tasks] : state.assignments) {
    if (std::ranges::find(options_.plan.authorized, who) != options_.plan.authorized.end())
      continue;
    return Fail(Error(ErrorCode::kFailedPrecondition,
                      format("round {} is under way with collaborator {}, which plan/cols.yaml no "
                             "longer lists",
                             Number(state.round), who.value))
                    .Hint("put it back until the round is over"));
  }
  return Ok();
}

Status Runtime::Impl::OpenModel() {
  if (engine_.state().opened) {
    model_ = engine_.state().model;
  } else {
    const Model initial = TRY(LoadInitialModel(options_.workspace, options_.plan));
    model_ = TRY(state_.models.Add(initial));
  }
  const ModelFile model = TRY(state_.models.OpenModel(model_));
  UploadRules uploads = TRY(UploadsOf(options_.plan, model.layout()));
  env_.emplace(
      CallEnv{.callers = CallersOf(options_.plan),
              .uploads = std::move(uploads),
              .board = board_,
              .spool = state_.spool,
              .models = state_.models,
              .waiters = waiters_,
              .slots = slots_,
              .post = [this](EventBody event) { return PostFromCall(std::move(event)); },
              .later = [this](std::function<void()> job) { return io_.TryPost(std::move(job)); }});
  return Ok();
}

Status Runtime::Impl::StartServer() {
  const NetworkSettings& network = options_.plan.network;
  const ServerOptions options{.address = options_.address,
                              .port = options_.port,
                              .tls = network.tls,
                              .require_client_auth = network.require_client_auth};
  if (!network.tls) {
    LogWarning("TLS is off in the plan: anyone can read and forge every message");
  } else if (!network.require_client_auth) {
    LogWarning("client certificates are off in the plan: anyone can speak for any collaborator");
  }
  LogInfo("Starting Aggregator gRPC Server");
  server_ = TRY(Server::Start(options, options_.credentials, *env_));
  LogInfo("waiting for collaborators",
          {{"port", format("{}", server_->port())}, {"federation", options_.plan.federation_uuid}});
  return Ok();
}

bool Runtime::Impl::PostFromCall(EventBody event) {
  if (from_calls_.fetch_add(1) < kMaxEvents && messages_.TryPush(std::move(event))) return true;
  from_calls_.fetch_sub(1);
  return false;
}

Result<Outcome> Runtime::Impl::Run() {
  Status status = Loop();
  Stop();
  if (status && leaving_) {  // the I/O thread has ended
    status = In(saver_.Retry(), "the federation is over, but its models cannot be saved");
  }
  if (!status) {
    return Fail(Error(std::move(status).error())
                    .Hint("nothing that was acknowledged is lost: once the reason is gone, start "
                          "the aggregator again with the same command"));
  }
  return leaving_ ? Outcome::kFinished : Outcome::kStopped;
}

Status Runtime::Impl::Loop() {
  UpdateMetricsFile();
  TRY(Execute(engine_.Resume(), Now()));
  TRY(Process(Started{model_}));
  while (!done()) {
    if (auto message = messages_.PopUntil(NextWake())) TRY(Handle(*std::move(message)));
    TRY(TickIfDue());
  }
  return Ok();
}

bool Runtime::Impl::done() const {
  return stop_requested_ || (leaving_ && Steady::now() >= leave_at_);
}

Status Runtime::Impl::Handle(Message message) {
  if (auto* event = std::get_if<EventBody>(&message)) {
    if (std::holds_alternative<TasksRequested>(*event) ||
        std::holds_alternative<ResultStaged>(*event)) {
      from_calls_.fetch_sub(1);
    }
    return Process(std::move(*event));
  }
  if (auto* failed = std::get_if<JobFailed>(&message)) return Fail(std::move(failed->error));
  return Ok();  // StopRequested: stop_requested_ says it
}

Status Runtime::Impl::Process(EventBody event) {
  return Process(std::move(event), Now());
}

Status Runtime::Impl::Process(EventBody event, TimeMs at) {
  again_.push_back(std::move(event));
  while (!again_.empty()) {
    Ready ready = engine_.Step({.at = at, .body = std::move(again_.front())});
    again_.pop_front();
    TRY(Execute(std::move(ready), at));
  }
  return Ok();
}

// Records are durable, and the round they make is on the board, before anyone hears of it.
Status Runtime::Impl::Execute(Ready ready, TimeMs at) {
  if (!ready.records.empty()) {
    TRY(In(state_.journal.Append(at, ready.records), "cannot write the journal"));
    board_.Publish(ViewOf(engine_.state()));
  }
  for (const Record& record : ready.records) report_.Happened(at, record);
  if (std::ranges::any_of(ready.records, [](const Record& record) {
        return std::holds_alternative<RoundClosed>(record);
      })) {
    UpdateMetricsFile();
  }
  for (const Action& action : ready.actions) {
    std::visit([this](const auto& what) { Do(what); }, action);
  }
  return Ok();
}

Status Runtime::Impl::TickIfDue() {
  const auto deadline = engine_.NextDeadline();
  const TimeMs now = Now();
  if (!deadline || now < *deadline || ticked_ == deadline) return Ok();
  ticked_ = deadline;
  return Process(ClockAdvanced{}, now);
}

Steady::time_point Runtime::Impl::NextWake() const {
  Steady::time_point wake = Steady::now() + kIdle;
  if (leaving_) wake = std::min(wake, leave_at_);
  const auto deadline = engine_.NextDeadline();
  if (!deadline || deadline == ticked_) return wake;
  const std::int64_t left = std::max<std::int64_t>(Count(*deadline) - Count(Now()), 0);
  return std::min(wake, Steady::now() + std::chrono::milliseconds(left));
}

void Runtime::Impl::Do(const ReplyTasks& action) {
  const auto waiter = waiters_.Take(action.request);
  if (!waiter) return;
  LogInfo(format("Sending tasks to collaborator {} for round {}", waiter->who.value,
                 Number(action.round)));
  waiter->answer(TasksReply{.round = action.round,
                            .tasks = action.tasks,
                            .model = action.model,
                            .model_size = env_->uploads.map.size});
}

void Runtime::Impl::Do(const ReplyQuit& action) {
  const auto waiter = waiters_.Take(action.request);
  if (!waiter) return;
  LogInfo(format("Sending signal to collaborator {} to shutdown...", waiter->who.value));
  told_.insert(waiter->who);
  waiter->answer(QuitReply{});
  if (told_.size() == options_.plan.authorized.size()) {
    leave_at_ = std::min(last_call_, Steady::now() + std::chrono::milliseconds(options_.quiet_ms));
  }
}

void Runtime::Impl::Do(const ReplyAccepted& action) {
  if (const auto waiter = waiters_.Take(action.request)) waiter->answer(AcceptedReply{});
}

void Runtime::Impl::Do(const ReplyRejected& action) {
  const auto waiter = waiters_.Take(action.request);
  if (waiter) waiter->answer(Error(ErrorCode::kAborted, action.reason));
}

void Runtime::Impl::Do(const AggregateRound& action) {
  fold_.Post([this, action] {
    Result<ModelId> model =
        RunAggregateJob(action, state_.models, state_.spool, options_.fold_threads);
    Message message = model ? Message(EventBody(AggregationFinished{.round = action.round,
                                                                    .model = *std::move(model)}))
                            : Message(JobFailed{std::move(model).error().In(
                                  format("cannot aggregate round {}", Number(action.round)))});
    const bool pushed = messages_.TryPush(std::move(message));
    FX_CHECK(pushed || messages_.closed());
  });
}

void Runtime::Impl::Do(const SaveBestModel& action) {
  const double score = engine_.state().best ? engine_.state().best->score : 0;
  io_.Post([this, action, score] { saver_.SaveBest(action.round, action.model, score); });
}

void Runtime::Impl::Do(const SaveLastModel& action) {
  io_.Post([this, action] { saver_.SaveLast(action.round, action.model); });
}

void Runtime::Impl::Do(const WakeWaiters&) {
  for (auto& [who, request] : waiters_.Unpark()) {
    again_.emplace_back(TasksRequested{.who = std::move(who), .request = request});
  }
}

// After the saves that were asked for before it: jobs keep their order. And before the round it is
// of can be folded, so that no new model is there yet that `keep` does not name.
void Runtime::Impl::Do(const Prune& action) {
  io_.Post([this, action] {
    Status done = state_.spool.Sweep(action.round);
    if (done) done = state_.models.Prune(action.keep);
    if (!done) LogWarning("old files cannot be removed", {{"reason", done.error().OneLine()}});
  });
}

void Runtime::Impl::Do(const Shutdown&) {
  leaving_ = true;
  // Long enough for a site that waits between two attempts to reach us.
  const std::int64_t patience = 2 * options_.plan.network.client_reconnect_interval * 1000;
  const std::int64_t stay = already_finished_ ? options_.late_goodbye_ms : options_.goodbye_ms;
  last_call_ = Steady::now() + std::chrono::milliseconds(std::max(stay, patience));
  leave_at_ = last_call_;
}

void Runtime::Impl::UpdateMetricsFile() {
  if (!options_.plan.aggregator.write_logs) return;
  io_.Post([file = options_.workspace / "logs" / "aggregator_metrics.txt",
            lines = report_.metrics_lines()] {
    const Status written = AppendMissingLines(file, lines);
    if (!written) LogWarning("cannot write metrics", {{"reason", written.error().OneLine()}});
  });
}

void Runtime::Impl::RequestStop() {
  stop_requested_ = true;
  static_cast<void>(messages_.TryPush(StopRequested{}));  // full: the loop is awake anyway
}

// Calls first, for they use everything else; then the threads they wait for.
void Runtime::Impl::Stop() {
  messages_.Close();
  waiters_.Close(Error(ErrorCode::kUnavailable, "the aggregator is stopping"));
  if (server_) server_->Shutdown();
  fold_.Finish();
  io_.Finish();
}

Runtime::Runtime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Runtime::~Runtime() = default;

Result<std::unique_ptr<Runtime>> Runtime::Create(RuntimeOptions options) {
  if (options.plan.authorized.empty()) {
    return Fail(Error(ErrorCode::kFailedPrecondition,
                      "no collaborator is authorised: plan/cols.yaml lists none")
                    .Hint("certify the collaborators first: fx collaborator certify "
                          "--request-pkg FILE"));
  }
  Path folder = StatePath(options.workspace, options.plan);
  StateFolder state = TRY(StateFolder::Open(folder, options.plan));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(folder), std::move(state));
  TRY(impl->Prepare());
  return std::unique_ptr<Runtime>(new Runtime(std::move(impl)));
}

std::uint16_t Runtime::port() const {
  return impl_->port();
}
bool Runtime::already_finished() const {
  return impl_->already_finished();
}
const Path& Runtime::state_folder() const {
  return impl_->folder();
}
Result<Outcome> Runtime::Run() {
  return impl_->Run();
}
void Runtime::RequestStop() {
  impl_->RequestStop();
}

}  // namespace fx::aggregator
