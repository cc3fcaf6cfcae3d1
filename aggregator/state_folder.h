// Where an aggregator keeps what must survive it:
//
//   local_state/aggregator/<federation_uuid>/
//     journal.db   every decision            models/   committed models
//     lock         held while it runs        spool/    staged updates
//     memory/      what the aggregation function keeps from round to round, if it does
//
// One folder a federation, and so a plan: an edited plan starts anew beside the old one.
#pragma once

#include "aggregator/store/journal.h"
#include "aggregator/store/memory_store.h"
#include "aggregator/store/model_store.h"
#include "aggregator/store/spool.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "plan/plan.h"

namespace fx::aggregator {

Path StatePath(const Path& workspace, const Plan& plan);

struct StateFolder {
  FileLock lock;
  Journal journal;
  Spool spool;
  ModelStore models;
  MemoryStore memories;

  // Makes the folder if need be. Refuses, with kFailedPrecondition, one another aggregator runs on.
  static Result<StateFolder> Open(const Path& folder, const Plan& plan);
};

}  // namespace fx::aggregator
