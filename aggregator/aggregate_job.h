// The work of AggregateRound: staged updates in, the next model out.
#pragma once

#include "aggregator/engine/action.h"
#include "aggregator/how_to_aggregate.h"
#include "aggregator/store/memory_store.h"
#include "aggregator/store/model_store.h"
#include "aggregator/store/spool.h"
#include "core/base/error.h"
#include "core/base/names.h"

namespace fx::aggregator {

// Where everything is.
struct JobStores {
  const ModelStore& models;
  const Spool& spool;
  const MemoryStore& memories;
};

// Folds the updates of all of `action.tasks` onto `action.base`, by the function of `how`
// (functions/registry.h; functions/sums.h if it forgets), and stores the next model in `models`,
// durably. A collaborator's weight is its share of all samples (engine/metrics.h: SharesOf). What
// the function keeps from round to round is durable before the model is, and none the worse for a
// round that is folded twice.
//
// Uses `threads` workers beside the caller's thread, at least one. The bytes of the model depend on
// the contributions and their order alone. Updates are read block by block and the model is written
// as it is made: memory does not grow with either. (A function that needs the distance of each pair
// of updates has a number for each pair.)
//
// Fails, naming collaborator and task, if an update is missing, is damaged (its digest is not its
// UpdateId; looked at unless the spool vouches for it), or is not made like the base; then no
// model is left behind. Blocks until done.
Result<ModelId> RunAggregateJob(const AggregateRound& action, const HowToAggregate& how,
                                const JobStores& stores, int threads);

}  // namespace fx::aggregator
