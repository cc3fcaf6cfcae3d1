#include "aggregator/standing.h"

#include <variant>
#include <vector>

#include "aggregator/engine/engine.h"
#include "aggregator/state_folder.h"

namespace fx::aggregator {

Result<std::optional<Standing>> ReadStanding(const Path& workspace, const Plan& plan) {
  const Path folder = StatePath(workspace, plan);
  const Path journal = folder / "journal.db";
  if (!Exists(journal)) return std::nullopt;
  Standing standing;
  standing.running = TRY(FileLock::IsHeld(folder / "lock"));
  const std::vector<Journal::Entry> entries =
      TRY(Journal::Read(journal, plan.federation_uuid, plan.digest));
  Engine engine(OptionsFor(plan));
  for (const Journal::Entry& entry : entries) {
    engine.Replay(entry.record);
    const auto* closed = std::get_if<RoundClosed>(&entry.record);
    if (closed == nullptr || closed->stragglers.empty()) continue;
    standing.stragglers[engine.state().round] = closed->stragglers;
  }
  standing.rounds = engine.end();
  standing.state = engine.state();
  if (!entries.empty()) standing.changed = entries.back().at;
  return standing;
}

}  // namespace fx::aggregator
