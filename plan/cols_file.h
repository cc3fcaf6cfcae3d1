// Reads and changes cols.yaml, the list of who may take part. LoadColsFile is in plan/load.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"
#include "plan/complaints.h"

namespace fx {

// The names in the text of a cols.yaml. Complains about names that cannot be, and about names given
// twice.
void ReadCols(std::string_view text, const std::string& file, Complaints& complaints,
              std::vector<CollaboratorName>& names);

// Authorises a collaborator: adds the name at the end of the list. Comments and order stay, the
// write is whole or did not happen. The file need not exist. False if the name was there already.
// Refuses names a collaborator may not have.
Result<bool> AddCollaboratorToCols(const Path& path, const CollaboratorName& name);

}  // namespace fx
