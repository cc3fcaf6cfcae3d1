#include "fx/workspace/import.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "fx/workspace/archive.h"
#include "fx/workspace/contents.h"
#include "fx/workspace/marker.h"
#include "plan/canonical.h"
#include "plan/merge_defaults.h"

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

// A key that came from elsewhere would be taken for this site's own and certified, and a
// collaborator's notes for work it has done.
Status CheckBringsNoSecrets(const Path& archive, const std::vector<ArchiveEntry>& entries) {
  for (const ArchiveEntry& entry : entries) {
    const Path top = *Path(entry.name).begin();
    if (entry.folder || (top != "cert" && top != "local_state")) continue;
    return Fail(
        Error(ErrorCode::kInvalidArgument, format("{} holds {}; keys, certificates and state are "
                                                  "made where they are used, and never sent in it",
                                                  archive.string(), entry.name))
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

Error ChangedOnItsWay(std::string message) {
  return Error(ErrorCode::kDataLoss, std::move(message))
      .Hint(
          "the archive was damaged or changed on its way: ask for it again, and compare its "
          "SHA-256 with the one `fx workspace export` printed (--sha256)");
}

// Of plan/plan_0123abcd.yaml the eight digits; of other files nothing.
std::string FrozenDigits(const std::string& name) {
  constexpr std::string_view kBefore = "plan/plan_", kAfter = ".yaml";
  constexpr std::size_t kDigits = 8;
  if (name.size() != kBefore.size() + kDigits + kAfter.size()) return "";
  if (!name.starts_with(kBefore) || !name.ends_with(kAfter)) return "";
  std::string digits = name.substr(kBefore.size(), kDigits);
  return digits.find_first_not_of("0123456789abcdef") == std::string::npos ? digits : "";
}

// Frozen plans are what their names promise, and the plan is one of them. `folder` is where the
// archive was unpacked.
Status CheckDigests(const std::vector<ArchiveEntry>& entries, const Path& folder) {
  std::string frozen;
  for (const ArchiveEntry& entry : entries) {
    const std::string digits = FrozenDigits(entry.name);
    if (digits.empty()) continue;
    const std::string digest = Sha384Hex(entry.bytes).substr(0, digits.size());
    if (digest != digits) {
      return Fail(ChangedOnItsWay(format(
          "{} is not the plan its name promises: its digest begins with {}", entry.name, digest)));
    }
    frozen += " " + digits;
  }
  if (frozen.empty()) return Ok();
  const Path plan_file = folder / "plan/plan.yaml";
  const std::string text = TRY(ReadFile(plan_file, kMaxYamlBytes));
  const YamlRef merged = TRY(LoadMergedPlan(text, plan_file));
  const std::string digest = PlanDigest(*merged).substr(0, 8);
  if (frozen.find(digest) != std::string::npos) return Ok();
  return Fail(ChangedOnItsWay(format(
      "plan/plan.yaml is not the plan that was frozen with it: its digest begins with {}, the "
      "frozen:{}",
      digest, frozen)));
}

Status CheckSha256(const Path& archive, std::string expected) {
  if (expected.empty()) return Ok();
  std::ranges::transform(expected, expected.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string bytes = TRY(ReadFile(archive, kLargestWorkspace));
  const std::string found = Sha256Hex(AsBytes(bytes));
  if (found == expected) return Ok();
  return Fail(
      ChangedOnItsWay(format("{} has the SHA-256 {}, not {}", archive.string(), found, expected)));
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
    flags.Text("--sha256", &sha256_, "Refuse the archive if its SHA-256 is another one");
  }

  Status Run(Io& io) override {
    const Path archive = archive_;
    const Path folder = TRY(FolderNameOf(archive));
    TRY(In(RefuseToOverwrite(folder), "cannot import the workspace"));
    TRY(In(CheckSha256(archive, sha256_), "cannot import the workspace"));
    const std::vector<ArchiveEntry> entries = TRY(ReadZip(archive, kLargestWorkspace));
    TRY(CheckIsWorkspace(archive, entries));
    TRY(CheckBringsNoSecrets(archive, entries));

    // Unpacked beside its place and then moved there, so that half a workspace is never seen.
    const Path half = "." + folder.string() + ".importing";
    TRY(RemoveFolder(half));
    TRY(Unpack(entries, half));
    if (const Status same = CheckDigests(entries, half); !same) {
      TRY(RemoveFolder(half));
      return In(same, format("cannot import {}", archive.string()));
    }
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
  std::string sha256_;
};

}  // namespace

std::unique_ptr<Command> MakeWorkspaceImport() {
  return std::make_unique<WorkspaceImport>();
}

}  // namespace fx
