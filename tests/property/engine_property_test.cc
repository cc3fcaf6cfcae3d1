// Whatever happens to an engine, in whatever order, and wherever it crashes.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "aggregator/engine/engine.h"
#include "tests/transcripts/print.h"

namespace fx::aggregator {

// One event, told relative to what the engine is just doing, so that most moves are sensible and
// some are not.
struct Move {
  int kind;    // what happens
  int who;     // which collaborator; one number too many is a stranger
  int task;    // which task
  int twist;   // which version of a result; rarely, another round
  int wait;    // milliseconds since the move before
  bool crash;  // afterwards
};

std::ostream& operator<<(std::ostream& out, const Move& m) {
  return out << "{" << m.kind << " " << m.who << " " << m.task << " " << m.twist << " " << m.wait
             << (m.crash ? " crash}" : "}");
}

namespace {

constexpr const char* kNames[] = {"zed", "ann", "bob", "eve"};  // eve is a stranger
constexpr const char* kTasks[] = {"judge", "train", "tune", "unknown"};

rc::Gen<std::vector<Move>> Moves() {
  const auto move = rc::gen::construct<Move>(rc::gen::inRange(0, 12), rc::gen::inRange(0, 4),
                                             rc::gen::inRange(0, 4), rc::gen::inRange(0, 20),
                                             rc::gen::inRange(0, 60), rc::gen::arbitrary<bool>());
  return rc::gen::scale(10.0, rc::gen::container<std::vector<Move>>(move));
}

Plan PlanFor(int policy) {
  Plan plan;
  plan.digest = "property";
  plan.aggregator.rounds_to_train = 3;
  for (int i = 0; i < 3; ++i) plan.authorized.push_back({kNames[i]});
  TaskGroup group;
  for (int i = 0; i < 3; ++i) {
    TaskSpec task;
    task.name = {kTasks[i]};
    task.function = i == 1 ? TaskFunction::kTrain : TaskFunction::kValidate;
    task.apply = i == 0 ? ApplyTo::kGlobal : ApplyTo::kLocal;
    plan.tasks[task.name] = task;
    group.tasks.push_back(task.name);
  }
  plan.task_groups = {group};
  if (policy == 1) plan.stragglers.cutoff_ms = 200;
  if (policy == 2) plan.stragglers.percent_needed = 0.5;
  plan.stragglers.minimum_reporting = 1;
  return plan;
}

// Checks, record by record and reply by reply, what must hold of every federation.
class Invariants {
 public:
  void operator()(const RoundOpened& r) {
    RC_ASSERT(!round_ || r.round > *round_);
    RC_ASSERT(!closed_ && !finished_);
    round_ = r.round;
    RC_ASSERT(!model_ || r.model == *model_);
    open_ = true;
  }
  void operator()(const DeadlineSet&) { RC_ASSERT(open_); }
  void operator()(const ResultAccepted& r) {
    RC_ASSERT(open_);
    RC_ASSERT(counted_.emplace(*round_, r.who, r.task).second);
  }
  void operator()(const RoundClosed& r) {
    RC_ASSERT(open_);
    for (const CollaboratorName& who : r.stragglers) {
      RC_ASSERT(!counted_.contains({*round_, who, {"judge"}}) ||
                !counted_.contains({*round_, who, {"train"}}) ||
                !counted_.contains({*round_, who, {"tune"}}));
    }
    open_ = false;
    closed_ = true;
  }
  void operator()(const BestModelChosen& r) {
    RC_ASSERT(closed_);
    RC_ASSERT(r.round == *round_);
    RC_ASSERT(!best_ || r.score > *best_);
    best_ = r.score;
  }
  void operator()(const ModelCommitted& r) {
    RC_ASSERT(closed_);
    closed_ = false;
    model_ = r.model;
  }
  void operator()(const ResultsLost& r) {
    RC_ASSERT(open_);
    for (const auto& [who, task] : r.results) RC_ASSERT(counted_.erase({*round_, who, task}) == 1U);
  }
  void operator()(const SiteFailed&) { RC_ASSERT(open_); }
  void operator()(const ModelScored&) { RC_ASSERT(closed_); }
  void operator()(const TrainingStopped&) { RC_ASSERT(closed_); }
  void operator()(const SiteLeft& r) {
    RC_ASSERT(open_);
    for (const char* task : kTasks) counted_.erase({*round_, r.who, {task}});
  }
  void operator()(const PauseSet&) {}
  void operator()(const FederationFinished&) {
    RC_ASSERT(!open_ && !closed_ && !finished_);
    finished_ = true;
  }
  bool finished() const { return finished_; }

 private:
  std::optional<Round> round_;
  std::optional<ModelId> model_;
  std::optional<double> best_;
  std::set<std::tuple<Round, CollaboratorName, TaskName>> counted_;
  bool open_ = false, closed_ = false, finished_ = false;
};

enum class Crashes { kNone, kOfTheProcess, kOfThePower };

// How often a request is answered by an action.
struct AnswersOf {
  RequestId request;
  template <typename T>
  int operator()(const T& action) const {
    if constexpr (requires { action.request; }) return action.request == request ? 1 : 100;
    return 0;
  }
};

class Federation {
 public:
  Federation(int policy, Crashes crashes)
      : plan_(PlanFor(policy)), crashes_(crashes), engine_(OptionsFor(plan_)) {
    Keep(engine_.Step({.at = at_, .body = Started{{"m0"}}}));
  }

  void Play(const Move& move) {
    at_ = at_ + move.wait;
    const Ready ready = engine_.Step({.at = at_, .body = EventOf(move)});
    int answers = 0;
    for (const Action& action : ready.actions) {
      answers += std::visit(AnswersOf{request_}, action);
    }
    RC_ASSERT(answers == (asked_ ? 1 : 0));
    Keep(ready);
    if (crashes_ != Crashes::kNone && move.crash) Crash();
  }

  std::string log() const { return log_.str(); }
  bool finished() const { return invariants_.finished(); }

 private:
  EventBody EventOf(const Move& move) {
    request_ = RequestId{++requests_};
    asked_ = move.kind <= 7 || move.kind == 10;
    const CollaboratorName who{kNames[move.who]};
    if (move.kind == 0) return TasksRequested{.who = who, .request = request_};
    if (move.kind <= 7) return ResultOf(move, who);
    const Round round = engine_.state().round;
    if (move.kind == 8) {
      return AggregationFinished{.round = round,
                                 .model = {"m" + std::to_string(Number(round) + 1)}};
    }
    if (move.kind == 10) return CutOffRequested{request_};
    if (move.kind == 11) return Changed(who);
    return ClockAdvanced{};
  }

  // Who was a member leaves, unless nobody would be left; who has left comes back.
  MembersChanged Changed(const CollaboratorName& who) {
    std::vector<CollaboratorName>& members = plan_.authorized;
    if (std::erase(members, who) == 0) {
      if (who.value != "eve") members.push_back(who);
    } else if (members.empty()) {
      members = {who};
    }
    return MembersChanged{members};
  }

  ResultStaged ResultOf(const Move& move, const CollaboratorName& who) const {
    ResultStaged result{};
    result.who = who;
    result.request = request_;
    result.round = engine_.state().round;
    if (move.twist == 19) result.round = Next(result.round);
    if (move.twist == 18 && Number(result.round) > 0) {
      result.round = Round{Number(result.round) - 1};
    }
    result.task = {kTasks[move.task]};
    if (move.task == 1) result.update = {"u" + std::to_string(move.twist / 12)};
    result.num_samples = 10;
    result.metrics = {{"accuracy", move.twist * 0.125}};
    return result;
  }

  void Keep(const Ready& ready) {
    for (const Record& record : ready.records) {
      std::visit(invariants_, record);
      records_.push_back(record);
      log_ << Print(record) << "\n";
    }
    for (const Action& action : ready.actions) log_ << Print(action) << "\n";
  }

  // Resuming and starting again decide nothing that was not decided before the crash, but what of
  // the open round is owed again.
  void Crash() {
    engine_ = Engine(OptionsFor(plan_));
    for (const Record& record : records_) engine_.Replay(record);
    RC_ASSERT(engine_.Resume().records.empty());
    const std::vector<ResultKey> lost = LostNow();
    const Ready started = engine_.Step({.at = at_, .body = Started{.model = {"m0"}, .lost = lost}});
    RC_ASSERT(started.records.size() == (lost.empty() ? 0U : 1U));
    RC_ASSERT(started.actions.empty());
    for (const auto& [who, task] : lost) RC_ASSERT(!engine_.state().Completed(who));
    Keep(started);
  }

  // Half of the updates of the open round, drawn by the number of requests so far.
  std::vector<ResultKey> LostNow() const {
    std::vector<ResultKey> lost;
    const State& state = engine_.state();
    if (crashes_ != Crashes::kOfThePower || state.phase != Phase::kCollecting) return lost;
    std::uint64_t draw = requests_;
    for (const auto& [key, result] : state.accepted) {
      if (!result.update.value.empty() && draw++ % 2 == 0)
        lost.push_back({result.who, result.task});
    }
    return lost;
  }

  Plan plan_;
  Crashes crashes_;
  Engine engine_;
  Invariants invariants_;
  std::vector<Record> records_;
  std::ostringstream log_;
  TimeMs at_{};
  std::uint64_t requests_ = 0;
  RequestId request_{};
  bool asked_ = false;
};

std::string Play(int policy, const std::vector<Move>& moves, Crashes crashes) {
  Federation federation(policy, crashes);
  for (const Move& move : moves) federation.Play(move);
  return federation.log();
}

RC_GTEST_PROP(EngineProperty, EveryStreamOfEventsKeepsTheInvariants, ()) {
  const int policy = *rc::gen::inRange(0, 3);
  const std::vector<Move> moves = *Moves();
  Federation federation(policy, Crashes::kNone);
  for (const Move& move : moves) federation.Play(move);
  RC_TAG(federation.finished() ? "finished" : "unfinished");
}

RC_GTEST_PROP(EngineProperty, CrashesAnywhereChangeNothing, ()) {
  const int policy = *rc::gen::inRange(0, 3);
  const std::vector<Move> moves = *Moves();
  RC_ASSERT(Play(policy, moves, Crashes::kOfTheProcess) == Play(policy, moves, Crashes::kNone));
}

RC_GTEST_PROP(EngineProperty, PowerCutsInAnOpenRoundKeepTheInvariants, ()) {
  const int policy = *rc::gen::inRange(0, 3);
  const std::vector<Move> moves = *Moves();
  Federation federation(policy, Crashes::kOfThePower);
  for (const Move& move : moves) federation.Play(move);
  RC_TAG(federation.log().find("ResultsLost") != std::string::npos ? "lost some" : "lost none");
}

}  // namespace
}  // namespace fx::aggregator
