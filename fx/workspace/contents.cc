#include "fx/workspace/contents.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/base/format.h"
#include "fx/workspace/marker.h"

namespace fx {
namespace {

constexpr std::array<std::string_view, 3> kEmptyFolders{"data", "logs", "save"};
constexpr std::array<std::string_view, 5> kTravels{kWorkspaceMarker, "defaults", "plan",
                                                   "requirements.txt", "src"};
constexpr std::array<std::string_view, 6> kStaysHere{".crt",  ".csr", ".key",
                                                     ".pbuf", ".pem", ".srl"};

bool StaysHere(const Path& path) {
  return path.filename() == "__pycache__" ||
         std::ranges::find(kStaysHere, path.extension().string()) != kStaysHere.end();
}

// A key under a name that does not say so.
Status CheckIsNoKey(const Path& path, std::string_view bytes) {
  if (bytes.find("PRIVATE KEY-----") == std::string_view::npos) return Ok();
  return Fail(
      Error(ErrorCode::kFailedPrecondition,
            format("{} holds a private key, which must not leave this machine", path.string()))
          .Hint("move it out of the workspace, or into cert/"));
}

// At most `left` bytes, which become fewer by them.
Result<std::string> ReadSome(const Path& file, std::uint64_t& left) {
  std::string bytes =
      TRY(In(ReadFile(file, left), format("an archive holds up to {} MB in all; keep data outside "
                                          "of plan/ and src/",
                                          kLargestWorkspace >> 20)));
  left -= bytes.size();
  return bytes;
}

Status Collect(const Path& folder, const Path& name, std::uint64_t& left,
               std::vector<ArchiveEntry>& entries) {
  std::error_code ignored;
  const auto status = std::filesystem::symlink_status(folder / name, ignored);
  if (!std::filesystem::exists(status) || StaysHere(name)) return Ok();
  if (std::filesystem::is_regular_file(status)) {
    std::string bytes = TRY(ReadSome(folder / name, left));
    TRY(CheckIsNoKey(folder / name, bytes));
    entries.push_back({.name = name.generic_string(), .bytes = std::move(bytes), .folder = false});
    return Ok();
  }
  if (!std::filesystem::is_directory(status)) {
    return Fail(Error(ErrorCode::kFailedPrecondition,
                      format("{} is neither a file nor a folder", (folder / name).string()))
                    .Hint("an archive holds what it brings itself: replace links by what they "
                          "point to"));
  }
  entries.push_back({.name = name.generic_string(), .bytes = "", .folder = true});
  for (const Path& child : TRY(ListFolder(folder / name))) {
    TRY(Collect(folder, name / child.filename(), left, entries));
  }
  return Ok();
}

}  // namespace

Result<std::vector<ArchiveEntry>> WorkspaceContents(const Path& folder) {
  std::vector<ArchiveEntry> entries;
  for (const std::string_view name : kEmptyFolders) {
    entries.push_back({.name = std::string(name), .bytes = "", .folder = true});
  }
  std::uint64_t left = kLargestWorkspace;
  for (const std::string_view name : kTravels) TRY(Collect(folder, Path(name), left, entries));
  return entries;
}

}  // namespace fx
