#include "fx/workspace/scope.h"

#include <algorithm>
#include <system_error>

#include "core/base/format.h"

namespace fx {

Status CheckIsInside(const Path& path, const Path& folder) {
  std::error_code error;
  const Path whole = std::filesystem::weakly_canonical(folder / path, error);
  const Path base = error ? Path() : std::filesystem::canonical(folder, error);
  if (error) {
    return Fail(ErrorCode::kInvalidArgument,
                format("cannot tell where {} leads: {}", path.string(), error.message()));
  }
  const auto parted = std::ranges::mismatch(base, whole);
  if (parted.in1 == base.end()) return Ok();
  return Fail(Error(ErrorCode::kInvalidArgument,
                    format("{} is out of the workspace's scope: it leads to {}, which is not below "
                           "{}",
                           path.string(), whole.string(), base.string()))
                  .Hint("copy it into the workspace, or change into the workspace it is in"));
}

}  // namespace fx
