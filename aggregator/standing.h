// Where a federation stands, for someone who only looks: from the journal, without disturbing an
// aggregator that is running or in the way of one that was killed and will start again.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "aggregator/engine/state.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"
#include "plan/plan.h"

namespace fx::aggregator {

// What is on record of a collaborator: results, and tasks it could not do.
struct Contact {
  std::uint64_t results = 0;
  std::uint64_t bytes = 0;  // of the updates among them
  TimeMs last{};            // when the newest of both was accepted
};

struct Standing {
  bool running = false;      // a process holds the lock of the state folder
  std::uint32_t rounds = 0;  // in all, the last judging of the model included
  State state;
  std::optional<TimeMs> changed;                           // when the newest record was decided
  std::map<Round, std::set<CollaboratorName>> stragglers;  // of the closed rounds that had some
  std::map<CollaboratorName, Contact> contacts;            // of all rounds; who was heard of
};

// None: no aggregator was ever started here with this plan. Refuses as Journal::Open does.
Result<std::optional<Standing>> ReadStanding(const Path& workspace, const Plan& plan);

}  // namespace fx::aggregator
