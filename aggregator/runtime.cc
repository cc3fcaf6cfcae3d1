#include "aggregator/runtime.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "aggregator/aggregate_job.h"
#include "aggregator/initial_model.h"
#include "aggregator/model_saver.h"
#include "aggregator/server/rules.h"
#include "aggregator/server/server.h"
#include "aggregator/shell.h"
#include "aggregator/state_folder.h"
#include "aggregator/worker.h"
#include "core/base/bounded_queue.h"
#include "core/base/format.h"
#include "core/base/log.h"
#include "core/base/metrics_file.h"

namespace fx::aggregator {
namespace {

using Steady = std::chrono::steady_clock;

// Waiting for the engine. One collaborator has a call for tasks and a few uploads open at a time.
constexpr std::size_t kEventsEach = 4;
constexpr std::size_t kLeastEvents = 4096;
constexpr std::size_t kOwnEvents = 64;  // room for those of our own threads
constexpr std::size_t kEventsAtOnce = 64;
constexpr std::size_t kMaxDiskJobs = 1024;
constexpr int kDiskThreads = 8;  // wait for the disk at the same time; a journal of the file
                                 // system takes their fsyncs together

TimeMs SystemNow() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return TimeMs{std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count()};
}

std::int64_t SteadyNow() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now().time_since_epoch())
      .count();
}

struct JobFailed {
  Error error;
};
struct OldRemoved {};
struct StopRequested {};
using Message = std::variant<EventBody, JobFailed, OldRemoved, StopRequested>;

}  // namespace

// Declared in the order of construction; the destructor undoes it in Stop().
class Runtime::Impl final : private ShellPorts {
 public:
  Impl(RuntimeOptions options, Path folder, StateFolder state)
      : options_(std::move(options)),
        folder_(std::move(folder)),
        state_(std::move(state)),
        saver_(state_.models, options_.workspace / options_.plan.aggregator.best_state_path,
               options_.workspace / options_.plan.aggregator.last_state_path),
        shell_(options_.plan,
               {.goodbye_ms = options_.goodbye_ms,
                .late_goodbye_ms = options_.late_goodbye_ms,
                .quiet_ms = options_.quiet_ms,
                .table = options_.table,
                .observe = options_.observe},
               *this, waiters_, board_) {
    if (options_.revoked) gate_.Revoke(*options_.revoked);
  }
  ~Impl() override { Stop(); }

  Status Prepare();
  Result<Outcome> Run();
  void RequestStop();

  void SetMembers(const std::vector<CollaboratorName>& who);
  template <typename Question>
  Status Ask();
  std::vector<Attendee> Present() const { return attendance_.All(); }
  void Revoke(RevocationList list);
  void Renew(const PemBundle& credentials) { server_->Renew(credentials); }

  std::uint16_t port() const { return server_->port(); }
  bool already_finished() const { return shell_.already_finished(); }
  const Path& folder() const { return folder_; }

 private:
  Status OpenModel();
  std::vector<ResultKey> LostResults() const;
  Status StartServer();
  bool PostFromCall(EventBody event);
  void PostFromJob(Message message);

  Status WriteUnwritten();

  Status Loop();
  Status Take(Message message, std::vector<EventBody>& events);
  void Stop();

  TimeMs Now() override { return options_.now ? options_.now() : SystemNow(); }
  std::int64_t SteadyMs() override { return SteadyNow(); }
  Result<std::vector<Journal::Entry>> LoadJournal() override { return state_.journal.Load(); }
  Status AppendToJournal(TimeMs at, std::span<const Record> records) override;
  void Fold(const AggregateRound& job) override;
  void SaveBest(const SaveBestModel& save, double score) override;
  void SaveLast(const SaveLastModel& save) override;
  void RemoveOld(const Prune& prune) override;
  void WriteMetrics(const std::vector<std::string>& lines) override;

  const RuntimeOptions options_;
  const HowToAggregate how_to_aggregate_ = HowToAggregateBy(options_.plan);
  const Path folder_;
  StateFolder state_;
  ModelSaver saver_;  // on the I/O thread only
  ModelId model_;     // what the shell starts with

  const std::size_t most_events_ =
      std::max(kLeastEvents, kEventsEach* options_.plan.authorized.size());
  BoundedQueue<Message> messages_{most_events_ + kOwnEvents};
  std::atomic<std::size_t> from_calls_{0};  // of messages_
  std::atomic<bool> stop_requested_{false};

  RoundBoard board_;
  Waiters waiters_;
  Gate gate_{CallersOf(options_.plan), [this] { return Count(Now()) / 1000; }};
  Attendance attendance_{[this] { return Now(); }};
  Shell shell_;
  UploadSlots slots_{options_.uploads_at_once, SteadyNow};
  std::vector<std::string> unwritten_;  // metrics; of the I/O thread, and later of whoever ends it
  Worker disk_{"fx-disk", kMaxDiskJobs, kDiskThreads};
  Worker io_{"fx-io", kMaxDiskJobs};
  Worker fold_{"fx-fold", 1};
  std::optional<CallEnv> env_;
  std::unique_ptr<Server> server_;
};

Status Runtime::Impl::Prepare() {
  TRY(shell_.Replay());
  TRY(OpenModel());
  return StartServer();
}

Status Runtime::Impl::OpenModel() {
  if (shell_.state().opened) {
    model_ = shell_.state().model;
  } else {
    model_ = TRY(AddInitialModel(options_.workspace, options_.plan, state_.models));
  }
  const ModelFile model = TRY(state_.models.OpenModel(model_));
  UploadRules uploads = TRY(UploadsOf(options_.plan, model.layout()));
  env_.emplace(CallEnv{
      .gate = gate_,
      .attendance = attendance_,
      .uploads = std::move(uploads),
      .board = board_,
      .spool = state_.spool,
      .models = state_.models,
      .waiters = waiters_,
      .slots = slots_,
      .post = [this](EventBody event) { return PostFromCall(std::move(event)); },
      .later = [this](std::function<void()> job) { return disk_.TryPost(std::move(job)); }});
  return Ok();
}

Status Runtime::Impl::StartServer() {
  const NetworkSettings& network = options_.plan.network;
  const ServerOptions options{.address = options_.address,
                              .port = options_.port,
                              .tls = network.tls,
                              .require_client_auth = network.require_client_auth,
                              .heartbeat = options_.heartbeat};
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
  if (from_calls_.fetch_add(1) < most_events_ && messages_.TryPush(std::move(event))) return true;
  from_calls_.fetch_sub(1);
  return false;
}

void Runtime::Impl::PostFromJob(Message message) {
  const bool pushed = messages_.TryPush(std::move(message));
  FX_CHECK(pushed || messages_.closed());
}

Result<Outcome> Runtime::Impl::Run() {
  Status status = Loop();
  Stop();
  if (status && shell_.leaving()) {  // the I/O thread has ended
    status = In(saver_.Retry(), "the federation is over, but its models cannot be saved");
    if (status) {
      status = In(WriteUnwritten(), "the federation is over, but its metrics cannot be written");
    }
    Status removed = state_.spool.RemoveSpares();
    if (removed) removed = state_.models.RemoveSpare();
    if (!removed)
      LogWarning("old files cannot be removed", {{"reason", removed.error().OneLine()}});
  }
  if (!status) {
    return Fail(Error(std::move(status).error())
                    .Hint("nothing that was acknowledged is lost: once the reason is gone, start "
                          "the aggregator again with the same command"));
  }
  if (shell_.leaving()) return Outcome::kFinished;
  return shell_.paused() ? Outcome::kPaused : Outcome::kStopped;
}

Status Runtime::Impl::Loop() {
  TRY(shell_.Start(model_, env_->uploads.map.size, LostResults()));
  const auto recheck = std::chrono::milliseconds(options_.recheck_ms);
  auto recheck_at = Steady::now() + recheck;
  while (!stop_requested_ && !shell_.done()) {
    const auto patience = std::chrono::milliseconds(shell_.patience());
    const auto wake = std::min(recheck_at, Steady::now() + patience);
    std::vector<EventBody> events;
    for (auto message = messages_.PopUntil(wake); message; message = messages_.TryPop()) {
      TRY(Take(*std::move(message), events));
      if (events.size() == kEventsAtOnce) break;
    }
    TRY(shell_.Turn(std::move(events)));
    if (Steady::now() < recheck_at) continue;
    waiters_.Dismiss();
    recheck_at = Steady::now() + recheck;
  }
  return Ok();
}

Status Runtime::Impl::Take(Message message, std::vector<EventBody>& events) {
  if (auto* failed = std::get_if<JobFailed>(&message)) return Fail(std::move(failed->error));
  if (std::holds_alternative<OldRemoved>(message)) shell_.OnOldRemoved();
  auto* event = std::get_if<EventBody>(&message);
  if (event == nullptr) return Ok();  // stop_requested_ says the rest
  if (std::holds_alternative<TasksRequested>(*event) ||
      std::holds_alternative<ResultStaged>(*event) || std::holds_alternative<TaskFailed>(*event)) {
    from_calls_.fetch_sub(1);
  }
  events.push_back(std::move(*event));
  return Ok();
}

// Accepted results of the open round whose bytes are gone.
std::vector<ResultKey> Runtime::Impl::LostResults() const {
  const State& state = shell_.state();
  std::vector<ResultKey> lost;
  if (state.phase != Phase::kCollecting) return lost;
  for (const auto& [key, result] : state.accepted) {
    if (result.update.value.empty()) continue;
    if (state_.spool.Holds(state.round, result.who, result.task, result.update)) continue;
    lost.push_back({.who = result.who, .task = result.task});
  }
  return lost;
}

// With durability `round`, results need not be durable before the decision to close the round is.
Status Runtime::Impl::AppendToJournal(TimeMs at, std::span<const Record> records) {
  if (state_.spool.syncs_each()) return state_.journal.Append(at, records);
  const bool may_be_lost = std::ranges::all_of(records, [](const Record& record) {
    return std::holds_alternative<ResultAccepted>(record) ||
           std::holds_alternative<DeadlineSet>(record);
  });
  if (may_be_lost) return state_.journal.Append(at, records, Journal::Flush::kLater);
  TRY(state_.spool.SyncAll());
  return state_.journal.Append(at, records);
}

void Runtime::Impl::Fold(const AggregateRound& job) {
  fold_.Post([this, job] {
    Result<ModelId> model = RunAggregateJob(
        job, how_to_aggregate_,
        {.models = state_.models, .spool = state_.spool, .memories = state_.memories},
        options_.fold_threads);
    Message message = model ? Message(EventBody(AggregationFinished{.round = job.round,
                                                                    .model = *std::move(model)}))
                            : Message(JobFailed{std::move(model).error().In(
                                  format("cannot aggregate round {}", Number(job.round)))});
    PostFromJob(std::move(message));
  });
}

void Runtime::Impl::SaveBest(const SaveBestModel& save, double score) {
  io_.Post([this, save, score] { saver_.SaveBest(save.round, save.model, score); });
}

void Runtime::Impl::SaveLast(const SaveLastModel& save) {
  io_.Post([this, save] { saver_.SaveLast(save.round, save.model); });
}

void Runtime::Impl::RemoveOld(const Prune& prune) {
  io_.Post([this, prune] {
    Status done = state_.spool.Sweep(prune.round);
    if (done) done = state_.models.Prune(prune.keep);
    if (done) done = state_.memories.Prune(prune.round);
    if (!done) LogWarning("old files cannot be removed", {{"reason", done.error().OneLine()}});
    PostFromJob(OldRemoved{});
  });
}

void Runtime::Impl::WriteMetrics(const std::vector<std::string>& lines) {
  io_.Post([this, lines] {
    unwritten_ = lines;
    const Status written = WriteUnwritten();
    if (!written) LogWarning("cannot write metrics", {{"reason", written.error().OneLine()}});
  });
}

Status Runtime::Impl::WriteUnwritten() {
  TRY(AppendMissingLines(options_.workspace / "logs" / "aggregator_metrics.txt", unwritten_));
  unwritten_.clear();
  return Ok();
}

void Runtime::Impl::RequestStop() {
  stop_requested_ = true;
  static_cast<void>(messages_.TryPush(StopRequested{}));  // full: the loop is awake anyway
}

// The engine knows who is new before the gate lets them in, and who left is out before the engine
// knows: what they are told is the gate's word.
void Runtime::Impl::SetMembers(const std::vector<CollaboratorName>& who) {
  gate_.KeepOnly(who);
  waiters_.Dismiss();
  if (messages_.TryPush(EventBody(MembersChanged{who}))) gate_.SetMembers(who);
}

// What an administrator asks of the engine; the answer comes as that to an upload would.
template <typename Question>
Status Runtime::Impl::Ask() {
  const RequestId request = waiters_.NewRequest();
  const auto answer = std::make_shared<std::promise<Status>>();
  const auto take = [answer](const Reply& reply) {
    const auto* error = std::get_if<Error>(&reply);
    answer->set_value(error == nullptr ? Ok() : Fail(*error));
  };
  TRY(waiters_.AddUpload(request, {.who = {"administrator"}, .answer = take}));
  if (!messages_.TryPush(EventBody(Question{request}))) {
    if (const auto waiter = waiters_.Take(request)) {
      waiter->answer(Error(ErrorCode::kUnavailable, "the aggregator is busy or stopping"));
    }
  }
  return answer->get_future().get();
}

void Runtime::Impl::Revoke(RevocationList list) {
  gate_.Revoke(std::move(list));
  waiters_.Dismiss();
}

// Calls first, for they use everything else; then the threads they wait for.
void Runtime::Impl::Stop() {
  messages_.Close();
  waiters_.Close(Error(ErrorCode::kUnavailable, "the aggregator is stopping"));
  if (server_) server_->Shutdown();
  disk_.Finish();
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
void Runtime::SetMembers(const std::vector<CollaboratorName>& who) {
  impl_->SetMembers(who);
}
Status Runtime::CutOff() {
  return impl_->Ask<CutOffRequested>();
}
Status Runtime::StopAfterRound() {
  return impl_->Ask<PauseRequested>();
}
std::vector<Attendee> Runtime::Present() const {
  return impl_->Present();
}
void Runtime::Revoke(RevocationList list) {
  impl_->Revoke(std::move(list));
}
void Runtime::Renew(const PemBundle& credentials) {
  impl_->Renew(credentials);
}

}  // namespace fx::aggregator
