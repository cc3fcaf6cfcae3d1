#include "fx/aggregator/admin.h"

#include <chrono>
#include <cstdint>
#include <sstream>
#include <string>
#include <utility>

#include "core/base/format.h"
#include "core/base/log.h"
#include "rpc/convert.h"

namespace fx {
namespace {

using aggregator::Attendee;
using aggregator::Outcome;
using aggregator::Runtime;

constexpr const char* kMembers = "members";
constexpr const char* kPresent = "present";
constexpr const char* kCutOff = "cut-off";
constexpr const char* kStop = "stop";

constexpr const char* kPaused = "paused";
constexpr const char* kOver = "over";
constexpr const char* kStopped = "stopped";

// Of somebody who only looks.
constexpr auto kLookPatience = std::chrono::seconds(5);

std::string LinesOf(const std::vector<CollaboratorName>& names) {
  std::string lines;
  for (const CollaboratorName& name : names) lines += name.value + "\n";
  return lines;
}

std::string LinesOf(const std::vector<Attendee>& all) {
  std::string lines;
  for (const Attendee& one : all) {
    lines += format("{} {} {}\n", one.present ? "present" : "gone", Count(one.last), one.who.value);
  }
  return lines;
}

Result<std::string> Done(const Status& status) {
  if (!status) return Fail(status.error());
  return std::string();
}

Result<std::string> AnswerTo(const std::string& question, Runtime& runtime, Watch& watch) {
  if (question == kPresent) return LinesOf(runtime.Present());
  LogInfo("an administrator asks", {{"for", Printable(question, 40)}});
  if (question == kMembers) return LinesOf(TRY(watch.ReadMembers()));
  if (question == kCutOff) return Done(runtime.CutOff());
  if (question == kStop) return Done(runtime.StopAfterRound());
  return Fail(Error(ErrorCode::kUnimplemented, "the aggregator that runs does not know this verb")
                  .Hint("it must be of the same version of fx: start it anew"));
}

Error NobodyRuns() {
  return Error(ErrorCode::kUnavailable, "no aggregator is running this federation here")
      .Hint("start it: fx aggregator start; where it stands: fx status");
}

Status Tell(const Path& folder, const char* what) {
  return TRY(AskAdmin(folder, what)) ? Ok() : Fail(NobodyRuns());
}

}  // namespace

std::unique_ptr<AdminSocket> AnswerAdministrators(Runtime& runtime, Watch& watch,
                                                  LastWord& last_word) {
  const auto answer = [&runtime, &watch](const std::string& question) {
    return AnswerTo(question, runtime, watch);
  };
  auto socket = AdminSocket::Open(runtime.state_folder(), answer, last_word);
  if (socket) return *std::move(socket);
  LogWarning("fx aggregator add, remove, cut-off, stop and status cannot reach this aggregator",
             {{"reason", socket.error().OneLine()}});
  return nullptr;
}

Result<std::optional<std::vector<CollaboratorName>>> AskForMembers(const Path& folder) {
  const std::optional<std::string> answer = TRY(AskAdmin(folder, kMembers));
  if (!answer) return std::nullopt;
  std::vector<CollaboratorName> names;
  std::istringstream lines(*answer);
  for (std::string line; std::getline(lines, line);) names.push_back({line});
  return names;
}

Result<std::optional<std::vector<Attendee>>> AskWhoIsThere(const Path& folder) {
  const std::optional<std::string> answer = TRY(AskAdmin(folder, kPresent, kLookPatience));
  if (!answer) return std::nullopt;
  std::vector<Attendee> all;
  std::istringstream lines(*answer);
  std::string how;
  std::int64_t last = 0;
  for (std::string who; lines >> how >> last >> who;) {
    all.push_back({.who = {who}, .present = how == kPresent, .last = TimeMs{last}});
  }
  return all;
}

Status AskForCutOff(const Path& folder) {
  return Tell(folder, kCutOff);
}

Status AskForStop(const Path& folder) {
  return Tell(folder, kStop);
}

Result<AwaitedEnd> AskForStopAndWait(const Path& folder) {
  std::optional<AwaitedEnd> end = TRY(AskAdminAndAwaitEnd(folder, kStop));
  if (!end) return Fail(NobodyRuns());
  return *std::move(end);
}

Status ComesToItsEnd(const AwaitedEnd& end, const std::stop_token& stop) {
  const std::string word = TRY(end.LastWord(stop));
  if (word == kPaused || word == kOver) return Ok();
  return Fail(Error(ErrorCode::kAborted,
                    word == kStopped
                        ? "a signal stopped the aggregator before the round "
                          "was aggregated"
                        : "the aggregator failed or died before the round was aggregated")
                  .Hint("nothing that was acknowledged is lost: fx aggregator start goes on from "
                        "there; the log may say more"));
}

void SayHowItEnded(LastWord& last_word, Outcome outcome) {
  switch (outcome) {
    case Outcome::kFinished:
      return last_word.Say(kOver);
    case Outcome::kPaused:
      return last_word.Say(kPaused);
    case Outcome::kStopped:
      return last_word.Say(kStopped);
  }
}

}  // namespace fx
