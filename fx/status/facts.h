// What there is to say about the federation of a workspace.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aggregator/standing.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"
#include "plan/plan.h"

namespace fx {

// A collaborator's tasks of the round that is under way. A straggler owes nothing any more, nor
// does a site that cannot do its part.
struct Dues {
  CollaboratorName who;
  std::vector<TaskName> delivered, owed;
  std::string failure{};  // which task failed, and why
  bool late = false;      // owes something, and the round may close without it
};

// Whether a collaborator is there, by the aggregator that runs.
struct Presence {
  CollaboratorName who;
  bool present = false;
  std::optional<TimeMs> last;  // heard of, or gone since; none if not since the aggregator began
};

// A model people take away, and whether its file holds it yet.
struct ModelFacts {
  Round round{};
  ModelId model;
  Path file;
  bool saved = false;
};

struct AggregatorFacts {
  aggregator::Standing standing;
  std::vector<Dues> dues;
  std::optional<ModelFacts> best, last;
  std::optional<std::vector<Presence>> presence{};  // of everyone; none if it does not run, or
                                                    // cannot be asked,
  std::optional<Error> silence{};                   // for this reason
};

struct OpenResult {
  Round round{};
  TaskName task;
  bool sent = false;  // the aggregator has acknowledged it
};

struct SiteFacts {
  CollaboratorName name;
  bool running = false;
  std::optional<Round> closed;   // the last round this site was done with
  std::vector<OpenResult> open;  // finished in rounds after that, in that order
};

// When the sites of this workspace take part, if site.yaml says that it is not always.
struct HoursFacts {
  std::string hours;  // as site.yaml has them
  bool open = false;  // now
};

struct StatusFacts {
  std::string federation;
  std::optional<AggregatorFacts> aggregator;  // if one was ever started here
  std::vector<SiteFacts> sites;               // likewise
  std::optional<HoursFacts> hours{};          // likewise
  std::vector<std::string> warnings{};        // certificates that need attention soon
};

// Disturbs no process that is at work in `workspace`. Refuses what Journal::Open refuses.
Result<StatusFacts> GatherFacts(const Path& workspace, const Plan& plan);

// Lines for people, and a JSON document for programs; docs/reference/status.md shows both.
std::string TextOf(const StatusFacts& facts);
std::string JsonOf(const StatusFacts& facts);

// "not begun", "collecting", "aggregating" or "finished".
std::string_view NameOf(aggregator::Phase phase);

}  // namespace fx
