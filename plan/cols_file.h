// Writes plan/cols.yaml, the list of who may take part. Reading it is in plan/load.h.
#pragma once

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"

namespace fx {

// Appends `name` unless it is listed; true if the file changed. The order of the others stays: it
// is the order of every sum. The file is written anew, in one piece, with its full-line comments
// above the list; it is made if it does not exist.
Result<bool> AddCollaboratorToCols(const Path& cols_file, const CollaboratorName& name);

}  // namespace fx
