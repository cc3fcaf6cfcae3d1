#include "fx/workspace/import.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.h"
#include "core/base/format.h"
#include "fx/workspace/archive.h"
#include "fx/workspace/marker.h"

namespace fx {
namespace {

// The archive's file name up to its first dot, as OpenFL names the folder.
Result<std::string> FolderNameOf(const Path& archive) {
  const std::string file = archive.filename().string();
  const std::string name = file.substr(0, file.find('.'));
  if (!name.empty()) return name;
  return Fail(Error(ErrorCode::kInvalidArgument,
                    format("{} has no name before its first dot to call the workspace by",
                           archive.string()))
                  .Hint("rename the archive, e.g. to study.zip"));
}

Status RefuseToOverwrite(const Path& folder) {
  if (!Exists(folder)) return Ok();
  return Fail(Error(ErrorCode::kAlreadyExists, format("{} exists already", folder.string()))
                  .Hint("import in another folder, or move this one away; keep its cert/ if its "
                        "keys are in use"));
}

Status CheckIsWorkspace(const Path& archive, const std::vector<ArchiveEntry>& entries) {
  for (const std::string_view needed : {kWorkspaceMarker, "plan/plan.yaml"}) {
    if (std::ranges::any_of(entries, [&](const ArchiveEntry& e) { return e.name == needed; })) {
      continue;
    }
    return Fail(Error(ErrorCode::kInvalidArgument,
                      format("{} is not the archive of a workspace: it has no {}", archive.string(),
                             needed))
                    .Hint("ask the aggregator's side for the file `fx workspace export` made"));
  }
  return Ok();
}

// A frozen plan is read-only here as it was there.
FileMode ModeOf(std::string_view name) {
  return name.starts_with("plan/plan_") ? FileMode::kFrozen : FileMode::kPublic;
}

Status Unpack(const std::vector<ArchiveEntry>& entries, const Path& folder) {
  for (const ArchiveEntry& entry : entries) {
    const Path path = folder / entry.name;
    if (entry.folder) {
      TRY(MakeFolders(path));
      continue;
    }
    TRY(MakeFolders(path.parent_path()));
    TRY(AtomicWrite(path, entry.bytes, ModeOf(entry.name)));
  }
  return MakeFolders(folder / "cert");
}

class WorkspaceImport : public Command {
 public:
  std::string_view noun() const override { return "workspace"; }
  std::string_view verb() const override { return "import"; }
  std::string_view summary() const override {
    return "Unpack the aggregator's workspace archive, at a collaborator's site";
  }
  std::string_view example() const override { return "fx workspace import --archive study.zip"; }

  void Declare(Flags& flags) override {
    flags.RequiredText("--archive", &archive_, "Archive made by `fx workspace export`");
  }

  Status Run(Io& io) override {
    const Path archive = archive_;
    const Path folder = TRY(FolderNameOf(archive));
    TRY(In(RefuseToOverwrite(folder), "cannot import the workspace"));
    const std::vector<ArchiveEntry> entries = TRY(ReadZip(archive));
    TRY(CheckIsWorkspace(archive, entries));

    // Unpacked beside its place and then moved there, so that half a workspace is never seen.
    const Path half = "." + folder.string() + ".importing";
    TRY(RemoveFolder(half));
    TRY(Unpack(entries, half));
    TRY(RenameDurably(half, folder));
    io.out << format("Workspace {} imported\n", folder.string());
    io.err << format("Next: cd {}, then fx collaborator create\n", folder.string());
    return Ok();
  }

 private:
  static Status RemoveFolder(const Path& folder) {
    std::error_code error;
    std::filesystem::remove_all(folder, error);
    if (!error) return Ok();
    return Fail(ErrorCode::kUnknown,
                format("cannot remove {}: {}", folder.string(), error.message()));
  }

  std::string archive_;
};

}  // namespace

std::unique_ptr<Command> MakeWorkspaceImport() {
  return std::make_unique<WorkspaceImport>();
}

}  // namespace fx
