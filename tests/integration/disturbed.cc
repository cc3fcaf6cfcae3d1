#include "tests/integration/disturbed.h"

#include <memory>
#include <set>
#include <thread>
#include <tuple>
#include <utility>
#include <variant>

#include "aggregator/state_folder.h"
#include "core/tensor/model_file.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx::test {
namespace {

using aggregator::Outcome;

constexpr std::int64_t kOutputs = 150'000;

// The last model of a federation that nothing happened to.
const std::string& Undisturbed(const std::vector<std::string>& members) {
  static std::map<std::vector<std::string>, std::string> known;
  std::string& model = known[members];
  if (!model.empty()) return model;
  const TestFederation federation(members, kOutputs);
  RunningAggregator aggregator(federation.Options());
  std::vector<std::jthread> sites;
  for (const std::string& name : members) {
    sites.emplace_back([&federation, &aggregator, name] {
      EXPECT_THAT(Collaborate(federation, name, aggregator.port(), [] {}), IsOk());
    });
  }
  EXPECT_THAT(aggregator.Wait(), IsOkAndHolds(Outcome::kFinished));
  return model = Must(ReadFile(federation.LastModel()));
}

std::vector<std::string> NamesOf(const std::vector<CollaboratorName>& members) {
  std::vector<std::string> names;
  for (const CollaboratorName& name : members) names.push_back(name.value);
  return names;
}

}  // namespace

collaborator::LinkTimes ImpatientTimes() {
  return {.heartbeat = {.every_ms = 400, .timeout_ms = 400},
          .long_poll_ms = 2'000,
          .probe_ms = 200,
          .goodbye_ms = 1'000};
}

Disturbed::Disturbed(collaborator::LinkTimes times, std::vector<std::string> members,
                     std::int64_t goodbye_ms)
    : federation_(std::move(members), kOutputs), times_(times), goodbye_ms_(goodbye_ms) {
  aggregator_.emplace(Options(0));
  proxy_.emplace(aggregator_->port());
}

aggregator::RuntimeOptions Disturbed::Options(std::uint16_t port) const {
  aggregator::RuntimeOptions options = federation_.Options(port);
  options.heartbeat = times_.heartbeat;
  options.goodbye_ms = goodbye_ms_;
  return options;
}

std::uint64_t Disturbed::model_size() const {
  return MapModelFile(ParameterLayout(federation_.plan.task_runner)).size;
}

Path Disturbed::Spool() const {
  return aggregator::StatePath(federation_.workspace.path(), federation_.plan) / "spool";
}

void Disturbed::RestartAggregator() {
  const std::uint16_t port = aggregator_->port();
  aggregator_.reset();
  aggregator_.emplace(Options(port));
}

void Disturbed::At(const std::string& step, std::vector<Fault> faults, int occasion) {
  At(
      step, [this, faults = std::move(faults)] { proxy_->Play(faults); }, occasion);
}

void Disturbed::At(const std::string& step, std::function<void()> arm, int occasion) {
  armings_.push_back({.step = step, .occasion = occasion, .arm = std::move(arm)});
}

void Disturbed::Before(const std::string& step) {
  const int occasion = times_begun_[step]++;
  if (occasion == 0) {
    traffic_[step] = {.up = proxy_->forwarded(Direction::kUp),
                      .down = proxy_->forwarded(Direction::kDown)};
  }
  for (const Arming& arming : armings_) {
    if (arming.step == step && arming.occasion == occasion) arming.arm();
  }
}

void Disturbed::After(const std::string& step) {
  if (times_begun_[step] != 1) return;
  Traffic& traffic = traffic_[step];
  traffic = {.up = proxy_->forwarded(Direction::kUp) - traffic.up,
             .down = proxy_->forwarded(Direction::kDown) - traffic.down};
}

void Disturbed::Run() {
  std::vector<std::jthread> others;
  const std::vector<std::string> members = NamesOf(federation_.plan.authorized);
  for (const std::string& name : members) {
    if (name == "ann") continue;
    others.emplace_back([this, name, port = aggregator_->port()] {
      EXPECT_THAT(Collaborate(federation_, name, port, [] {}), IsOk());
    });
  }
  EXPECT_THAT(Collaborate(federation_, {.name = "ann",
                                        .port = proxy_->port(),
                                        .times = times_,
                                        .before = [this](const std::string& s) { Before(s); },
                                        .after = [this](const std::string& s) { After(s); }}),
              IsOk());
  meanwhile_.clear();
  proxy_->WaitUntilPlayed();
  EXPECT_THAT(aggregator_->Wait(), IsOkAndHolds(Outcome::kFinished));
  EXPECT_EQ(Must(ReadFile(federation_.LastModel())), Undisturbed(members));
  aggregator_.reset();
  ExpectEachResultOnce();
}

void Disturbed::ExpectEachResultOnce() const {
  const Path folder = aggregator::StatePath(federation_.workspace.path(), federation_.plan);
  auto state = Must(aggregator::StateFolder::Open(folder, federation_.plan));
  std::set<std::tuple<Round, CollaboratorName, TaskName>> seen;
  Round round{};
  for (const auto& entry : Must(state.journal.Load())) {
    if (const auto* opened = std::get_if<aggregator::RoundOpened>(&entry.record)) {
      round = opened->round;
    }
    if (const auto* accepted = std::get_if<aggregator::ResultAccepted>(&entry.record)) {
      EXPECT_TRUE(seen.emplace(round, accepted->who, accepted->task).second)
          << accepted->task.value << " of round " << Number(round) << " counts twice";
    }
  }
  // Two rounds of three tasks and a last judgement.
  EXPECT_EQ(seen.size(), federation_.plan.authorized.size() * 7);
}

}  // namespace fx::test
