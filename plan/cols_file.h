// Reads and changes cols.yaml, the list of who may take part. LoadColsFile is in plan/load.h.
#pragma once

#include <functional>
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

// What else a change has to please: the file's text as it is, and as it would be.
using ColsJudge = std::function<Status(const std::string& before, const std::string& after)>;

// Authorises a collaborator: adds the name at the end of the list. Comments and order stay, the
// write is whole or did not happen (ReplaceFile). The file need not exist. False if the name was
// there already. Refuses names a collaborator may not have, and, with its words, what `judge` does;
// nobody else changes the file in the meantime (FolderLock).
Result<bool> AddCollaboratorToCols(const Path& path, const CollaboratorName& name,
                                   const ColsJudge& judge = {});

// The opposite: the name's line, or its place between brackets, is gone, and everything else stays.
// False if the name was not there. An anchor in the file may make it one that cannot be edited.
Result<bool> RemoveCollaboratorFromCols(const Path& path, const CollaboratorName& name,
                                        const ColsJudge& judge = {});

// For people: "ann, bob", or "nobody".
std::string Listed(const std::vector<CollaboratorName>& names);

}  // namespace fx
