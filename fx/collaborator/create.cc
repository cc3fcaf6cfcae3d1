#include "fx/collaborator/create.h"

#include <iostream>
#include <string>

#include "core/base/file.h"
#include "core/base/format.h"
#include "fx/workspace/marker.h"
#include "pki/identity.h"
#include "plan/data_file.h"

namespace fx {
namespace {

constexpr const char* kDataFile = "plan/data.yaml";

class CollaboratorCreate : public Command {
 public:
  std::string_view noun() const override { return "collaborator"; }
  std::string_view verb() const override { return "create"; }
  std::string_view summary() const override { return "Say where this site's data lies"; }
  std::string_view example() const override {
    return "fx collaborator create -n site1 -d /data/images";
  }

  void Declare(Flags& flags) override {
    flags.RequiredText("-n,--collaborator_name", &name_, "The collaborator's name");
    flags.Text("-d,--data_path", &data_path_,
               "Folder of its data, or k for shard k of the plan's data set; data/<name> if not "
               "given");
    flags.Switch("-s,--silent", &silent_, "Ask nothing");
  }

  Status Run(Io& io) override {
    TRY(RequireWorkspace("."));
    const std::string name = TRY(Identity::Collaborator(name_)).name();
    const std::string data_path = ChooseDataPath(name, io);
    TRY(SetDataPath(kDataFile, name, data_path));
    io.out << format("Data of {}: {} (in {})\n", name, data_path, kDataFile);
    io.err << format("Next: fx collaborator generate-cert-request -n {}\n", name);
    return Ok();
  }

 private:
  std::string ChooseDataPath(const std::string& name, Io& io) const {
    if (!data_path_.empty()) return data_path_;
    const std::string usual = "data/" + name;
    if (silent_ || !io.in_is_tty) return usual;
    io.err << format("Folder of the data of {} [{}]: ", name, usual) << std::flush;
    std::string answer;
    std::getline(io.in, answer);
    return answer.empty() ? usual : answer;
  }

  std::string name_;
  std::string data_path_;
  bool silent_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeCollaboratorCreate() {
  return std::make_unique<CollaboratorCreate>();
}

}  // namespace fx
