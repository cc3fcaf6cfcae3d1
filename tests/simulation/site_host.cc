#include "tests/simulation/site_host.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <variant>

#include "collaborator/local_store.h"
#include "core/base/format.h"
#include "plan/model_layout.h"
#include "tests/simulation/fake_training.h"

namespace fx::sim {

using collaborator::FinishedTask;
using collaborator::RunTask;
using collaborator::SendResult;

namespace {

constexpr std::size_t kChunkBytes = 32;
constexpr std::int64_t kLongPollMs = 30'000;
constexpr std::int64_t kGoodbyeMs = 5000;
constexpr int kOldCalls = 4;  // as in task_loop.cc

std::string Stem(const FinishedTask& task) {
  return format("results/{:08}-{}", Number(task.round), task.task.value);
}
std::string RecordName(const FinishedTask& task) {
  return Stem(task) + ".result";
}
std::string UpdateName(const FinishedTask& task) {
  return Stem(task) + ".update.fxm";
}
std::string OptimizerName(const FinishedTask& task) {
  return Stem(task) + ".optimizer.fxm";
}

}  // namespace

void SiteHost::Boot() {
  session_.emplace(collaborator::SessionOptions{.tasks = plan_.tasks,
                                                .keep_models = plan_.collaborator.db_store_rounds,
                                                .follow_the_model = HasSums(plan_)},
                   Remember());
  refused_.clear();
  superseded_ = 0;
  downloaded_ = false;
  Proceed();
}

void SiteHost::Gone(Death how) {
  session_.reset();
  call_.reset();
  wire_.ClientDied(*this, how);
}

collaborator::Remembered SiteHost::Remember() const {
  collaborator::Remembered remembered;
  for (const std::string& name : disk_.List("models/")) {
    if (name.ends_with(".fxm")) remembered.models.push_back({name.substr(7, name.size() - 11)});
  }
  for (const std::string& name : disk_.List("results/")) {
    if (!name.ends_with(".result")) continue;
    auto task = collaborator::ParseFinishedTask(disk_.Read(name));
    if (task && RecordName(*task) == name && IsWhole(*task)) {
      remembered.finished.push_back(*std::move(task));
    }
  }
  if (disk_.Exists("state/closed")) {
    std::uint32_t round = 0;
    const std::string& text = disk_.Read("state/closed");
    std::from_chars(text.data(), text.data() + text.size(), round);
    remembered.closed = Round{round};
  }
  return remembered;
}

bool SiteHost::IsWhole(const FinishedTask& task) const {
  const auto has = [&](const std::string& name, const UpdateId& digest) {
    return digest.value.empty() || (disk_.Exists(name) && UpdateIdOf(disk_.Read(name)) == digest);
  };
  return has(UpdateName(task), task.update) && has(OptimizerName(task), task.optimizer);
}

void SiteHost::Must(const Status& done) {
  if (!done) GiveUp(done.error());
}

void SiteHost::Proceed() {
  fuse_.Burn();
  std::visit([this](const auto& step) { Do(step); }, session_->Next());
}

// Makes a call; `step` is done again should its connection break.
template <typename Step, typename Hear>
void SiteHost::Try(Step step, Hear hear) {
  call_ = wire_.Open(*this, hear, [this, step] { TryAgain(step); });
}

template <typename Step>
void SiteHost::TryAgain(Step step) {
  call_.reset();
  const std::int64_t longest = plan_.network.client_reconnect_interval * 1000;
  Later(world_.dice.Between(100, longest), [this, step] { Do(step); });
}

bool SiteHost::WorthAnotherTry(const aggregator::Reply& reply) const {
  const auto* error = std::get_if<Error>(&reply);
  return error != nullptr &&
         (error->code() == ErrorCode::kUnavailable || error->code() == ErrorCode::kCancelled ||
          error->code() == ErrorCode::kResourceExhausted);
}

// Once is a race with the end of the round; the same again is not.
void SiteHost::MovedOn(const std::string& what, const aggregator::Reply& reply) {
  const Error& error = std::get<Error>(reply);
  Say([&] { return "refused: " + error.OneLine(); });
  const bool moved_on = error.code() == ErrorCode::kAborted || error.code() == ErrorCode::kNotFound;
  if (!moved_on || std::exchange(refused_, what) == what) {
    throw Violation{name() + " is refused for good: " + error.OneLine()};
  }
  session_->OnRoundMovedOn();
  Proceed();
}

void SiteHost::Do(const collaborator::AskForTasks& ask) {
  Try(ask, [this](const Down& message) { HearTasks(message); });
  wire_.SendUp(call_, Ask{.leaving = false});
  Later(kLongPollMs, [this, ask, call = call_] {
    if (call != call_) return;
    wire_.Close(call);
    superseded_ = 0;  // as far as the loop knows there was nothing to do yet
    Do(ask);
  });
}

void SiteHost::HearTasks(const Down& message) {
  call_.reset();
  const auto& reply = std::get<aggregator::Reply>(message);
  if (WorthAnotherTry(reply)) return TryAgain(collaborator::AskForTasks{});
  if (const auto* error = std::get_if<Error>(&reply)) {
    if (error->code() == ErrorCode::kAborted && ++superseded_ <= kOldCalls) {
      return Do(collaborator::AskForTasks{});
    }
    throw Violation{name() + " gets no tasks: " + error->OneLine()};
  }
  superseded_ = 0;
  TaskAssignment assignment{.round = {}, .tasks = {}, .model = {}, .quit = true};
  if (const auto* tasks = std::get_if<aggregator::TasksReply>(&reply)) {
    assignment = {.round = tasks->round,
                  .tasks = tasks->tasks,
                  .model = tasks->model,
                  .model_size = tasks->model_size,
                  .quit = false,
                  .counted = tasks->counted};
    Say([&] { return format("has tasks of round {}", Number(tasks->round)); });
  }
  const Status assigned = session_->OnAssigned(assignment);
  Check(assigned.has_value(), "a collaborator does not understand its assignment");
  Proceed();
}

void SiteHost::Do(const collaborator::FetchModel& fetch) {
  const std::string part = ModelName(fetch.model) + ".part";
  if (!disk_.Exists(part) || disk_.Read(part).size() > fetch.size) disk_.Truncate(part);
  Try(fetch, [this, fetch](const Down& message) { HearModel(fetch, message); });
  wire_.SendUp(call_, Fetch{.model = fetch.model, .offset = disk_.Read(part).size()});
}

void SiteHost::HearModel(const collaborator::FetchModel& fetch, const Down& message) {
  const std::string part = ModelName(fetch.model) + ".part";
  if (const auto* bytes = std::get_if<Bytes>(&message)) {
    return Must(disk_.Append(part, bytes->value));
  }
  call_.reset();
  const auto& reply = std::get<aggregator::Reply>(message);
  if (WorthAnotherTry(reply)) return TryAgain(fetch);
  if (std::holds_alternative<Error>(reply)) return MovedOn(fetch.model.value, reply);
  disk_.Sync(part);
  if (ModelIdOf(disk_.Read(part)) != fetch.model) {  // some of it is from a disk that lost it
    Check(!std::exchange(downloaded_, true), "a model arrives damaged twice");
    disk_.Remove(part);
    return Do(fetch);
  }
  downloaded_ = false;
  disk_.RenameDurably(part, ModelName(fetch.model));
  session_->OnFetched(fetch.model);
  Proceed();
}

void SiteHost::Do(const RunTask& run) {
  std::int64_t ms = world_.dice.Between(1, faults_.task_ms);
  if (world_.now() < faults_.calm_after_ms && world_.dice.Chance(faults_.straggles)) ms *= 100;
  Later(ms, [this, run] { RunNow(run); });
}

void SiteHost::RunNow(const RunTask& run) {
  const std::string parameters =
      disk_.Read(run.trained ? UpdateName(*run.trained) : ModelName(run.model));
  FinishedTask finished{.round = run.round,
                        .task = run.task,
                        .model = run.model,
                        .sequence = run.sequence,
                        .num_samples = SamplesOf(who_),
                        .metrics = {{"accuracy", Judge(who_, parameters)}},
                        .update = {},
                        .optimizer = {}};
  std::string trained;
  std::string optimizer;
  if (plan_.tasks.at(run.task).function == TaskFunction::kTrain) {
    Check(!run.state_is_lost, "a collaborator has lost the state that goes with the model");
    const bool keeps_state =
        plan_.collaborator.opt_treatment != OptTreatment::kReset || HasSums(plan_);
    const bool goes_on = keeps_state && run.optimizer.has_value();
    trained = Train(who_, run, parameters,
                    goes_on ? disk_.Read(OptimizerName(*run.optimizer)) : std::string());
    witness_.Continues(UpdateIdOf(trained), goes_on ? run.optimizer->update : UpdateId());
    if (keeps_state) optimizer = OptimizerAfter(trained);
  }
  finished = Store(std::move(finished), trained, optimizer);
  Say([&] { return format("finished {} of round {}", run.task.value, Number(run.round)); });
  session_->OnFinished(std::move(finished));
  Proceed();
}

FinishedTask SiteHost::Store(FinishedTask task, const std::string& trained,
                             const std::string& optimizer) {
  if (!trained.empty()) {
    Must(disk_.WriteDurably(UpdateName(task), trained));
    task.update = UpdateIdOf(trained);
    task.size = trained.size();
    witness_.Made(task.update, trained);
  }
  if (!optimizer.empty()) {
    Must(disk_.WriteDurably(OptimizerName(task), optimizer));
    task.optimizer = UpdateIdOf(optimizer);
  }
  Must(disk_.WriteDurably(RecordName(task), collaborator::EncodeFinishedTask(task)));
  return task;
}

void SiteHost::Do(const SendResult& send) {
  const FinishedTask& result = send.result;
  Try(send, [this, send](const Down& message) { HearAboutResult(send, message); });
  wire_.SendUp(call_, TaskResult{.round = result.round,
                                 .task = result.task,
                                 .num_samples = result.num_samples,
                                 .metrics = result.metrics,
                                 .file = {},
                                 .update = result.update,
                                 .size = result.size});
}

void SiteHost::HearAboutResult(const SendResult& send, const Down& message) {
  if (const auto* offset = std::get_if<Offset>(&message)) return SendBytes(send, offset->value);
  call_.reset();
  const auto& reply = std::get<aggregator::Reply>(message);
  const FinishedTask& result = send.result;
  if (std::holds_alternative<aggregator::AcceptedReply>(reply)) {
    Say([&] { return format("{} is acknowledged", result.task.value); });
    session_->OnSent();
    return Proceed();
  }
  if (WorthAnotherTry(reply)) return TryAgain(send);
  MovedOn(format("{} of round {}", result.task.value, Number(result.round)), reply);
}

void SiteHost::SendBytes(const SendResult& send, std::uint64_t offset) {
  const std::string bytes = disk_.Read(UpdateName(send.result));
  Check(offset <= bytes.size(), "the aggregator wants bytes past the end");
  for (std::size_t at = offset; at < bytes.size(); at += kChunkBytes) {
    wire_.SendUp(call_, Bytes{bytes.substr(at, kChunkBytes)});
  }
}

void SiteHost::Do(const collaborator::CloseRound& close) {
  Must(disk_.WriteDurably("state/closed", format("{}", Number(close.round))));
  session_->OnClosed();
  Proceed();
}

void SiteHost::Do(const collaborator::Tidy& tidy) {
  std::set<std::string> keep;
  for (const ModelId& model : tidy.models) {
    keep.insert(ModelName(model));
    keep.insert(ModelName(model) + ".part");
  }
  for (const FinishedTask& task : tidy.results) {
    keep.insert({RecordName(task), UpdateName(task), OptimizerName(task)});
  }
  for (const char* const folder : {"models/", "results/"}) {
    for (const bool records : {true, false}) {
      for (const std::string& name : disk_.List(folder)) {
        if (name.ends_with(".result") == records && !keep.contains(name)) disk_.Remove(name);
      }
    }
  }
  session_->OnTidied();
  Proceed();
}

// Says goodbye, once; whether anybody hears it or not, it leaves.
void SiteHost::Do(const collaborator::Leave&) {
  call_ = wire_.Open(
      *this, [this](const Down&) { Leave(); }, [this] { Leave(); });
  wire_.SendUp(call_, Ask{.leaving = true});
  Later(kGoodbyeMs, [this] { Leave(); });
}

void SiteHost::Leave() {
  wire_.Close(call_);
  left_ = true;
  End();
}

}  // namespace fx::sim
