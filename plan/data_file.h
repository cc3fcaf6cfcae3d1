// Changes data.yaml, the list of where each collaborator's data lies. LoadDataFile is in
// plan/load.h.
#pragma once

#include <string>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

// Sets the line `name,data`, in place or at the end. Comments and order stay, the write is whole or
// did not happen. The file need not exist.
Status SetDataPath(const Path& path, const std::string& name, const std::string& data);

}  // namespace fx
