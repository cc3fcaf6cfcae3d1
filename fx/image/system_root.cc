#include "fx/image/system_root.h"

#include <algorithm>
#include <deque>
#include <optional>

#include "core/base/format.h"

namespace fx {
namespace {

constexpr int kMostLinks = 40;

Path Absolute(const Path& folder) {
  std::error_code error;
  const Path absolute = std::filesystem::absolute(folder, error);
  const Path normal = (error ? folder : absolute).lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

// The parts of a path that lead somewhere.
std::deque<Path> PartsOf(const Path& path) {
  std::deque<Path> parts;
  for (const Path& part : path) {
    if (!part.empty() && part != ".") parts.push_back(part);
  }
  return parts;
}

// The parts of `path` after those of `root`; none if it does not lie below it.
std::optional<std::deque<Path>> PartsBelow(const Path& root, const Path& path) {
  std::deque<Path> parts = PartsOf(path);
  const auto [end, at] = std::ranges::mismatch(root, parts);
  if (end != root.end()) return std::nullopt;
  parts.erase(parts.begin(), at);
  return parts;
}

std::optional<Path> TargetOf(const Path& path) {
  std::error_code error;
  if (!std::filesystem::is_symlink(std::filesystem::symlink_status(path, error))) {
    return std::nullopt;
  }
  const Path target = std::filesystem::read_symlink(path, error);
  return error ? std::nullopt : std::optional(target);
}

}  // namespace

SystemRoot::SystemRoot(const Path& folder) : folder_(Absolute(folder)) {}

Result<Path> SystemRoot::Resolve(const Path& path) const {
  auto parts = PartsBelow(folder_, path);
  if (!parts) parts = PartsBelow(folder_, path.lexically_normal());
  if (!parts) return path;
  Path at = folder_;
  for (int links = 0; !parts->empty();) {
    const Path part = parts->front();
    parts->pop_front();
    if (part == "..") {
      if (at != folder_) at = at.parent_path();
      continue;
    }
    const auto target = TargetOf(at / part);
    if (!target) {
      at /= part;
      continue;
    }
    if (++links > kMostLinks) {
      return Fail(ErrorCode::kFailedPrecondition,
                  format("{}: more than {} links lead on from it", path.string(), kMostLinks));
    }
    if (target->is_absolute()) at = folder_;
    const std::deque<Path> more = PartsOf(target->relative_path());
    parts->insert(parts->begin(), more.begin(), more.end());
  }
  return at;
}

bool SystemRoot::Exists(const Path& path) const {
  const auto file = Resolve(path);
  return file && fx::Exists(*file);
}

Result<std::string> SystemRoot::Read(const Path& path, std::uint64_t limit) const {
  return ReadFile(TRY(Resolve(path)), limit);
}

Result<std::vector<Path>> SystemRoot::List(const Path& path) const {
  return ListFolder(TRY(Resolve(path)));
}

}  // namespace fx
