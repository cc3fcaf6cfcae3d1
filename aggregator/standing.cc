#include "aggregator/standing.h"

#include <variant>
#include <vector>

#include "aggregator/engine/engine.h"
#include "aggregator/state_folder.h"
#include "core/tensor/model_file.h"
#include "plan/model_layout.h"

namespace fx::aggregator {
namespace {

// An update is as large as the model. What a network in Python has, only its first model says.
std::uint64_t UpdateBytes(const Path& workspace, const Plan& plan) {
  const Layout layout = ModelLayout(plan);
  if (!layout.empty()) return MapModelFile(layout).size;
  return FileSize(workspace / plan.aggregator.init_state_path).value_or(0);
}

void Note(const Journal::Entry& entry, std::uint64_t update_bytes, Standing& standing) {
  if (const auto* result = std::get_if<ResultAccepted>(&entry.record)) {
    Contact& contact = standing.contacts[result->who];
    ++contact.results;
    if (!result->update.value.empty()) contact.bytes += update_bytes;
    contact.last = entry.at;
  } else if (const auto* failed = std::get_if<SiteFailed>(&entry.record)) {
    standing.contacts[failed->who].last = entry.at;
  }
}

}  // namespace

Result<std::optional<Standing>> ReadStanding(const Path& workspace, const Plan& plan) {
  const Path folder = StatePath(workspace, plan);
  const Path journal = folder / "journal.db";
  if (!Exists(journal)) return std::nullopt;
  Standing standing;
  standing.running = TRY(FileLock::IsHeld(folder / "lock"));
  const std::vector<Journal::Entry> entries =
      TRY(Journal::Read(journal, plan.federation_uuid, plan.digest));
  const std::uint64_t update_bytes = UpdateBytes(workspace, plan);
  Engine engine(OptionsFor(plan));
  for (const Journal::Entry& entry : entries) {
    engine.Replay(entry.record);
    Note(entry, update_bytes, standing);
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
