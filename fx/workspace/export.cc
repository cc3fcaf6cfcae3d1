#include "fx/workspace/export.h"

#include <string>
#include <vector>

#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "fx/plan/frozen_plan.h"
#include "fx/workspace/archive.h"
#include "fx/workspace/contents.h"
#include "fx/workspace/marker.h"

namespace fx {
namespace {

class WorkspaceExport : public Command {
 public:
  std::string_view noun() const override { return "workspace"; }
  std::string_view verb() const override { return "export"; }
  std::string_view summary() const override {
    return "Freeze the plan and pack the workspace for the collaborators";
  }
  std::string_view example() const override { return "fx workspace export"; }

  void Declare(Flags& flags) override {
    flags.Text("-o,--pip-install-options", &pip_options_,
               "Accepted for OpenFL's sake; there is nothing to install");
  }

  Status Run(Io& io) override {
    TRY(In(Export(io), "cannot export the workspace"));
    return Ok();
  }

 private:
  static Status Export(Io& io) {
    TRY(RequireWorkspace("."));
    const Path frozen = TRY(FreezePlan("plan/plan.yaml", "plan/cols.yaml"));
    const std::vector<ArchiveEntry> contents = TRY(WorkspaceContents("."));
    const Path archive = TRY(ArchiveName());
    TRY(WriteZip(archive, contents));

    io.out << format("Frozen plan  {}\n", frozen.string());
    io.out << format("Archive      {}\n", archive.string());
    io.out << format("SHA-256      {}\n\n",
                     Sha256Hex(AsBytes(TRY(ReadFile(archive, 2 * kLargestWorkspace)))));
    for (const ArchiveEntry& entry : contents) {
      io.out << "  " << entry.name << (entry.folder ? "/" : "") << "\n";
    }
    io.err << format("Next: send {} to each collaborator, for fx workspace import\n",
                     archive.string());
    return Ok();
  }

  // OpenFL calls the archive by the folder of the workspace.
  static Result<Path> ArchiveName() {
    std::error_code error;
    const Path here = std::filesystem::current_path(error);
    if (error) {
      return Fail(ErrorCode::kFailedPrecondition,
                  format("cannot tell the current folder: {}", error.message()));
    }
    return Path(here.filename().string() + ".zip");
  }

  std::string pip_options_;
};

}  // namespace

std::unique_ptr<Command> MakeWorkspaceExport() {
  return std::make_unique<WorkspaceExport>();
}

}  // namespace fx
