// What `fx status --json` says to programs.
#include <nlohmann/json.hpp>
#include <string>

#include "fx/status/facts.h"

namespace fx {
namespace {

using aggregator::Standing;
using aggregator::State;
using Json = nlohmann::ordered_json;

template <typename Range>
Json FromNames(const Range& names) {
  Json list = Json::array();
  for (const auto& name : names) list.push_back(name.value);
  return list;
}

Json FromRound(const std::optional<Round>& round) {
  return round ? Json(Number(*round)) : Json();
}

Json FromTime(const std::optional<TimeMs>& time) {
  return time ? Json(Count(*time)) : Json();
}

Json FromModel(const ModelFacts& model) {
  return {{"round", Number(model.round)},
          {"model", model.model.value},
          {"file", model.file.string()},
          {"saved", model.saved}};
}

Json FromDues(const Dues& dues) {
  return {{"name", dues.who.value},
          {"delivered", FromNames(dues.delivered)},
          {"owes", FromNames(dues.owed)},
          {"failure", dues.failure},
          {"late", dues.late}};
}

Json FromBest(const AggregatorFacts& facts) {
  if (!facts.best) return nullptr;
  Json json = FromModel(*facts.best);
  json["metric"] = facts.standing.state.best->metric;
  json["score"] = facts.standing.state.best->score;
  return json;
}

Json FromPresence(const std::optional<std::vector<Presence>>& presence) {
  if (!presence) return nullptr;
  Json list = Json::array();
  for (const Presence& one : *presence) {
    list.push_back(
        {{"name", one.who.value}, {"present", one.present}, {"last_ms", FromTime(one.last)}});
  }
  return list;
}

Json FromAggregator(const AggregatorFacts& facts) {
  const Standing& standing = facts.standing;
  const State& state = standing.state;
  Json collaborators = Json::array();
  for (const Dues& dues : facts.dues) collaborators.push_back(FromDues(dues));
  Json stragglers = Json::array();
  for (const auto& [round, names] : standing.stragglers) {
    stragglers.push_back({{"round", Number(round)}, {"names", FromNames(names)}});
  }
  Json contacts = Json::array();
  for (const auto& [who, contact] : standing.contacts) {
    contacts.push_back({{"name", who.value},
                        {"results", contact.results},
                        {"update_bytes", contact.bytes},
                        {"last_ms", Count(contact.last)}});
  }
  return {{"running", standing.running},
          {"phase", NameOf(state.phase)},
          {"round", state.opened ? Json(Number(state.round)) : Json()},
          {"rounds", standing.rounds},
          {"model", state.model.value},
          {"deadline_ms", FromTime(state.deadline)},
          {"changed_ms", FromTime(standing.changed)},
          {"collaborators", collaborators},
          {"presence", FromPresence(facts.presence)},
          {"contacts", contacts},
          {"stragglers", stragglers},
          {"best", FromBest(facts)},
          {"last", facts.last ? FromModel(*facts.last) : Json()}};
}

Json FromSite(const SiteFacts& site) {
  Json finished = Json::array();
  for (const OpenResult& result : site.open) {
    finished.push_back(
        {{"round", Number(result.round)}, {"task", result.task.value}, {"sent", result.sent}});
  }
  return {{"name", site.name.value},
          {"running", site.running},
          {"closed_round", FromRound(site.closed)},
          {"finished", finished}};
}

}  // namespace

std::string JsonOf(const StatusFacts& facts) {
  Json sites = Json::array();
  for (const SiteFacts& site : facts.sites) sites.push_back(FromSite(site));
  Json hours;
  if (facts.hours) hours = {{"hours", facts.hours->hours}, {"open", facts.hours->open}};
  const Json json = {{"federation", facts.federation},
                     {"aggregator", facts.aggregator ? FromAggregator(*facts.aggregator) : Json()},
                     {"sites", sites},
                     {"hours", hours},
                     {"warnings", facts.warnings}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace fx
