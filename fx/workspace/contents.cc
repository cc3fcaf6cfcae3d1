#include "fx/workspace/contents.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/base/format.h"
#include "fx/workspace/marker.h"
#include "pki/key_search.h"

namespace fx {
namespace {

constexpr std::array<std::string_view, 3> kEmptyFolders{"data", "logs", "save"};
constexpr std::array<std::string_view, 5> kTravels{kWorkspaceMarker, "defaults", "plan",
                                                   "requirements.txt", "src"};
constexpr const char* kDataFile = "plan/data.yaml";
constexpr std::array<std::string_view, 12> kStaysHere{
    ".crt", ".csr", ".der", ".jks", ".key", ".p12", ".p8", ".pbuf", ".pem", ".pfx", ".pk8", ".srl"};

std::string LowerExtension(const Path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return extension;
}

bool StaysHere(const Path& path) {
  return path == kDataFile || path.filename() == "__pycache__" ||
         std::ranges::find(kStaysHere, LowerExtension(path)) != kStaysHere.end();
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
    TRY(CheckHasNoKey(folder / name, bytes));
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

Status CheckHasNoKey(const Path& file, std::string_view bytes) {
  const std::string_view kind = PrivateKeyIn(bytes);
  if (kind.empty()) return Ok();
  return Fail(
      Error(ErrorCode::kFailedPrecondition,
            format("{} holds {}, which must not leave this machine", file.string(), kind))
          .Hint("move it out of the workspace, or into cert/; only certificates may travel"));
}

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
