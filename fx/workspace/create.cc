#include "fx/workspace/create.h"

#include <array>
#include <string>

#include "core/base/file.h"
#include "core/base/format.h"
#include "fx/workspace/marker.h"
#include "fx/workspace/template_catalog.h"

namespace fx {
namespace {

constexpr std::array<const char*, 6> kFolders = {"cert", "data", "logs", "plan", "save", "src"};

// A folder that is not there, empty, or a workspace of the same template may be (re)made; whatever
// else lies there is someone's work.
Status CheckTarget(const Path& folder, const std::string& template_name) {
  if (!Exists(folder)) return Ok();
  const auto made_from = TRY(WorkspaceTemplateOf(folder));
  if (made_from == template_name) return Ok();
  if (made_from) {
    return Fail(
        Error(ErrorCode::kAlreadyExists,
              format("{} is already a workspace, of template \"{}\"", folder.string(), *made_from))
            .Hint("choose another folder with --prefix"));
  }
  if (TRY(ListFolder(folder)).empty()) return Ok();
  return Fail(
      Error(ErrorCode::kAlreadyExists, format("{} exists and is not empty", folder.string()))
          .Hint("choose another folder with --prefix, or empty this one"));
}

// Writes what is missing. A file that is there stays as it is: it may have been edited.
Status WriteIfMissing(const Path& path, std::string_view bytes) {
  if (Exists(path)) return Ok();
  TRY(MakeFolders(path.parent_path()));
  return AtomicWrite(path, bytes);
}

class WorkspaceCreate : public Command {
 public:
  std::string_view noun() const override { return "workspace"; }
  std::string_view verb() const override { return "create"; }
  std::string_view summary() const override {
    return "Make a workspace, the folder of an experiment, from a template";
  }
  std::string_view example() const override {
    return "fx workspace create --prefix ~/study --template cnn_mnist";
  }

  void Declare(Flags& flags) override {
    flags.RequiredText("--prefix", &prefix_, "Folder to make");
    flags.RequiredText("--template", &template_, "Template to start from: " + Names());
  }

  Status Run(Io& io) override {
    const WorkspaceTemplate chosen = TRY(FindTemplate(template_));
    const Path folder = prefix_;
    TRY(In(CheckTarget(folder, chosen.name), "cannot create the workspace"));
    TRY(MakeFolders(folder));
    // First, so that the same command can finish what an interrupted one began.
    TRY(WriteIfMissing(folder / kWorkspaceMarker, WorkspaceMarkerText(chosen.name)));
    for (const char* name : kFolders) TRY(MakeFolders(folder / name));
    for (const TemplateFile& file : chosen.files) {
      TRY(WriteIfMissing(folder / file.path, file.bytes));
    }
    Describe(chosen, io.out);
    io.err << format("Next: cd {}, look at plan/plan.yaml, then fx plan initialize\n", prefix_);
    return Ok();
  }

 private:
  static std::string Names() {
    std::string names;
    for (const WorkspaceTemplate& t : AllTemplates()) names += (names.empty() ? "" : ", ") + t.name;
    return names;
  }

  void Describe(const WorkspaceTemplate& chosen, std::ostream& out) const {
    out << format("Workspace {} from template {}:\n", prefix_, chosen.name);
    for (const char* name : kFolders) out << "  " << name << "/\n";
    for (const TemplateFile& file : chosen.files) out << "  " << file.path << "\n";
  }

  std::string prefix_;
  std::string template_;
};

}  // namespace

std::unique_ptr<Command> MakeWorkspaceCreate() {
  return std::make_unique<WorkspaceCreate>();
}

}  // namespace fx
