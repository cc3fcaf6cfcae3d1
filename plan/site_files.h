// Changes cols.yaml and data.yaml as commands need it: comments and order stay, a write is whole or
// did not happen, and saying the same twice is saying it once. Reading them: plan/load.h.
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

// Authorises a collaborator: adds the name at the end of the list. The file need not exist. False
// if the name was there already. Refuses names a collaborator may not have.
Result<bool> AddCollaboratorToCols(const Path& path, const CollaboratorName& name);

// Sets the line `name,data` of data.yaml, in place or at the end. The file need not exist.
Status SetDataPath(const Path& path, const std::string& name, const std::string& data);

}  // namespace fx
