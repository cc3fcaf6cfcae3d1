// What `fx status` says to people.
#include <string>

#include "core/base/format.h"
#include "fx/status/facts.h"
#include "pki/certificate.h"

namespace fx {
namespace {

using aggregator::Phase;
using aggregator::Standing;

template <typename Range>
std::string Listed(const Range& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name.value;
  return text;
}

std::string RunningText(const AggregatorFacts& facts) {
  const Standing& standing = facts.standing;
  const bool silent = facts.silence && facts.silence->code() == ErrorCode::kUnavailable;
  if (standing.running)
    return silent ? "Aggregator: running, but it does not answer\n" : "Aggregator: running\n";
  return standing.state.phase == Phase::kFinished
             ? "Aggregator: not running\n"
             : "Aggregator: not running; fx aggregator start goes on from here\n";
}

std::string RoundText(const Standing& standing) {
  switch (standing.state.phase) {
    case Phase::kIdle:
      return "No round has been opened yet\n";
    case Phase::kFinished:
      return format("The federation is over: rounds 0 to {} are done\n", standing.rounds - 1);
    case Phase::kCollecting:
    case Phase::kAggregating:
      break;
  }
  const bool collecting = standing.state.phase == Phase::kCollecting;
  return format("Round {} of 0 to {}: {}\n", Number(standing.state.round), standing.rounds - 1,
                collecting ? "collecting results" : "closed, and being aggregated");
}

std::string DuesText(const Dues& dues) {
  std::string text;
  if (!dues.delivered.empty()) text = "has delivered " + Listed(dues.delivered);
  if (!dues.owed.empty()) text += (text.empty() ? "owes " : "; owes ") + Listed(dues.owed);
  if (dues.late) text += "; is late";
  if (text.empty()) text = "was left out";
  if (!dues.failure.empty()) text += "; " + dues.failure;
  return format("  {}: {}\n", dues.who.value, text);
}

std::string ContactText(const CollaboratorName& who, const aggregator::Contact& contact) {
  return format("Heard of {}: {} results, {:.1f} MB of updates, the last at {}\n", who.value,
                contact.results, static_cast<double>(contact.bytes) / 1e6,
                UtcText(Count(contact.last) / 1000));
}

std::string PresenceText(const Presence& one) {
  if (!one.last) {
    return format("{}: not heard of since the aggregator was started\n", one.who.value);
  }
  const std::string when = UtcText(Count(*one.last) / 1000);
  return one.present ? format("{}: present, last call at {}\n", one.who.value, when)
                     : format("{}: gone since {}\n", one.who.value, when);
}

std::string SavedText(const ModelFacts& model) {
  return model.saved
             ? format("in {}", model.file.string())
             : format("not yet in {}: a running aggregator writes it there", model.file.string());
}

std::string AggregatorText(const AggregatorFacts& facts) {
  const Standing& standing = facts.standing;
  std::string text = RunningText(facts) + RoundText(standing);
  for (const Dues& dues : facts.dues) text += DuesText(dues);
  for (const auto& [round, names] : standing.stragglers) {
    text += format("Round {} was closed without {}\n", Number(round), Listed(names));
  }
  if (facts.best) {
    text += format("Best model: the one of round {}, {} {:.4f}, {}\n", Number(facts.best->round),
                   standing.state.best->metric, standing.state.best->score, SavedText(*facts.best));
  }
  if (facts.last) {
    text += format("Last model: aggregated in round {}, {}\n", Number(facts.last->round) - 1,
                   SavedText(*facts.last));
  }
  for (const auto& [who, contact] : standing.contacts) text += ContactText(who, contact);
  if (!facts.presence) return text;
  for (const Presence& one : *facts.presence) text += PresenceText(one);
  return text;
}

std::string SiteText(const SiteFacts& site) {
  std::string text =
      format("Site {}: {}\n", site.name.value, site.running ? "running" : "not running");
  text += site.closed ? format("  done with round {}\n", Number(*site.closed))
                      : std::string("  not done with any round yet\n");
  for (const OpenResult& result : site.open) {
    text += format("  round {}: has finished {}, {}\n", Number(result.round), result.task.value,
                   result.sent ? "which the aggregator has" : "still to be sent");
  }
  return text;
}

}  // namespace

std::string TextOf(const StatusFacts& facts) {
  std::string text = format("Federation {}\n", facts.federation);
  if (facts.aggregator) text += AggregatorText(*facts.aggregator);
  for (const SiteFacts& site : facts.sites) text += SiteText(site);
  if (facts.hours) {
    text += format("Hours of this site: {}; {}\n", facts.hours->hours,
                   facts.hours->open ? "it takes part now" : "it waits for them now");
  }
  for (const std::string& warning : facts.warnings) text += format("Warning: {}\n", warning);
  return text;
}

}  // namespace fx
