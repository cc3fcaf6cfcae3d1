// The work of AggregateRound: staged updates in, the next model out.
#pragma once

#include "aggregator/engine/action.h"
#include "aggregator/store/model_store.h"
#include "aggregator/store/spool.h"
#include "core/base/error.h"
#include "core/base/names.h"

namespace fx::aggregator {

// Folds the updates of all of `action.tasks` onto `action.base`, by weighted average (functions/
// weighted_average.h), and stores the next model in `models`, durably. A collaborator's weight is
// its share of all samples (engine/metrics.h: WeightsOf).
//
// Uses `threads` workers beside the caller's thread, at least one. The bytes of the model depend on
// the contributions and their order alone. Updates are mapped and the model is written as it is
// made: memory does not grow with either.
//
// Fails, naming collaborator and task, if an update is missing, is damaged (its digest is not its
// UpdateId; looked at unless the spool vouches for it), or is not made like the base; then nothing
// is left behind. Blocks until done.
Result<ModelId> RunAggregateJob(const AggregateRound& action, const ModelStore& models,
                                const Spool& spool, int threads);

}  // namespace fx::aggregator
