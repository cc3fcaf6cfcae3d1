#include "fx/status/facts.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "aggregator/state_folder.h"
#include "collaborator/local_store.h"
#include "collaborator/site_limits.h"
#include "core/base/format.h"
#include "fx/aggregator/admin.h"
#include "fx/certificates.h"
#include "fx/collaborator/site.h"
#include "pki/expiry.h"
#include "pki/inventory.h"
#include "rpc/pbuf.h"

namespace fx {
namespace {

using aggregator::Phase;
using aggregator::Standing;
using aggregator::State;
using collaborator::FinishedTask;
using collaborator::LocalStore;
using collaborator::SiteStatus;

TimeMs Now() {
  constexpr std::int64_t kMs = 1000;
  return TimeMs{UnixNow() * kMs};
}

std::vector<Dues> DuesOf(const State& state, TimeMs now) {
  std::vector<Dues> all;
  if (state.phase != Phase::kCollecting && state.phase != Phase::kAggregating) return all;
  for (const auto& [who, tasks] : state.assignments) {
    Dues dues{.who = who, .delivered = {}, .owed = {}};
    for (const TaskName& task : tasks) {
      if (state.accepted.contains({task, who})) {
        dues.delivered.push_back(task);
      } else if (state.phase == Phase::kCollecting && !state.failed.contains(who)) {
        dues.owed.push_back(task);
      }
    }
    dues.late = !dues.owed.empty() && state.deadline && now >= *state.deadline;
    if (const auto failed = state.failed.find(who); failed != state.failed.end()) {
      dues.failure = format("{} failed: {}", failed->second.task.value, failed->second.reason);
    }
    all.push_back(std::move(dues));
  }
  return all;
}

// The round in the file tells whether it holds this model or still the one before.
ModelFacts ModelIn(const Path& workspace, const Path& file, Round round, const ModelId& model) {
  const auto found = ReadPbufRound(workspace / file);
  return {.round = round,
          .model = model,
          .file = file,
          .saved = found && *found == static_cast<std::int32_t>(Number(round))};
}

// What the aggregator knows of everyone who may take part.
Result<std::optional<std::vector<Presence>>> PresenceOf(const Path& workspace, const Plan& plan) {
  const auto there = TRY(AskWhoIsThere(aggregator::StatePath(workspace, plan)));
  if (!there) return std::nullopt;
  std::map<CollaboratorName, Presence> known;
  for (const aggregator::Attendee& one : *there) {
    known[one.who] = {.who = one.who, .present = one.present, .last = one.last};
  }
  std::vector<Presence> presence;
  for (const CollaboratorName& who : plan.authorized) {
    const auto found = known.find(who);
    presence.push_back(found == known.end() ? Presence{.who = who, .last = {}} : found->second);
  }
  return presence;
}

AggregatorFacts FactsOf(Standing standing, const Path& workspace, const Plan& plan) {
  const State& state = standing.state;
  AggregatorFacts facts{.standing = {}, .dues = DuesOf(state, Now()), .best = {}, .last = {}};
  if (state.best) {
    facts.best =
        ModelIn(workspace, plan.aggregator.best_state_path, state.best->round, state.best->model);
  }
  if (state.last) {
    facts.last =
        ModelIn(workspace, plan.aggregator.last_state_path, state.last->round, state.last->model);
  }
  if (standing.running) {
    auto presence = PresenceOf(workspace, plan);
    if (presence) {
      facts.presence = *std::move(presence);
    } else {
      facts.silence = presence.error();
    }
  }
  facts.standing = std::move(standing);
  return facts;
}

// Results of closed rounds are kept only for their optimizer's state.
SiteFacts FactsOf(const CollaboratorName& name, const SiteStatus& site) {
  SiteFacts facts{
      .name = name, .running = site.running, .closed = site.remembered.closed, .open = {}};
  std::vector<std::pair<std::uint64_t, OpenResult>> open;
  for (std::size_t i = 0; i < site.remembered.finished.size(); ++i) {
    const FinishedTask& task = site.remembered.finished[i];
    if (facts.closed && task.round <= *facts.closed) continue;
    open.emplace_back(task.sequence,
                      OpenResult{.round = task.round, .task = task.task, .sent = site.sent[i]});
  }
  std::ranges::sort(open, {}, [](const auto& entry) { return entry.first; });
  for (auto& [sequence, result] : open) facts.open.push_back(std::move(result));
  return facts;
}

// A file that cannot be read is for fx collaborator start to complain about.
std::optional<HoursFacts> HoursOf(const Path& workspace) {
  const auto site = LoadSiteFile(workspace / kSiteFile);
  if (!site || site->hours.always()) return std::nullopt;
  const collaborator::SiteLimits limits(0, site->hours, collaborator::RealWorld({}));
  return HoursFacts{.hours = site->hours.text(), .open = limits.Open()};
}

// Whose certificates matter here.
std::vector<std::string> NamesOf(const StatusFacts& facts, const Plan& plan) {
  std::vector<std::string> names;
  if (facts.aggregator) names = NamesThatCount(plan);
  for (const SiteFacts& site : facts.sites) names.push_back(site.name.value);
  return names;
}

}  // namespace

Result<StatusFacts> GatherFacts(const Path& workspace, const Plan& plan) {
  StatusFacts facts{.federation = plan.federation_uuid, .aggregator = {}, .sites = {}};
  auto standing = TRY(aggregator::ReadStanding(workspace, plan));
  if (standing) facts.aggregator = FactsOf(*std::move(standing), workspace, plan);
  for (const CollaboratorName& name : TRY(collaborator::SitesOf(workspace, plan))) {
    const SiteStatus site = TRY(LocalStore::Look(collaborator::StatePath(workspace, name, plan)));
    facts.sites.push_back(FactsOf(name, site));
  }
  if (!facts.sites.empty()) facts.hours = HoursOf(workspace);
  if (plan.network.tls) {
    facts.warnings = CertificateWarnings((workspace / plan.network.cert_folder).lexically_normal(),
                                         NamesOf(facts, plan), UnixNow());
  }
  return facts;
}

std::string_view NameOf(Phase phase) {
  switch (phase) {
    case Phase::kIdle:
      return "not begun";
    case Phase::kCollecting:
      return "collecting";
    case Phase::kAggregating:
      return "aggregating";
    case Phase::kFinished:
      return "finished";
  }
  return "";
}

}  // namespace fx
