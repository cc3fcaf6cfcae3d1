#include "fx/doctor/doctor.h"

#include <map>
#include <string>

#include "core/base/file.h"
#include "core/base/format.h"
#include "fx/doctor/examinations.h"
#include "fx/workspace/marker.h"
#include "pki/certificate_authority.h"
#include "pki/identity.h"
#include "plan/load.h"

namespace fx {
namespace {

class DoctorCommand : public Command {
 public:
  std::string_view noun() const override { return "doctor"; }
  std::string_view verb() const override { return ""; }
  std::string_view summary() const override {
    return "Examine the workspace before a run: plan, data, certificates, port, disk";
  }
  std::string_view example() const override { return "fx doctor"; }

  void Declare(Flags& flags) override {
    flags.Text("-n,--collaborator_name", &name_,
               "Examine this site only; otherwise all of plan/data.yaml");
    flags.WorkspaceFile("-p,--plan", &plan_, "The plan");
    flags.WorkspaceFile("-c,--authorized_cols", &cols_, "The collaborators that may take part");
    flags.WorkspaceFile("-d,--data_config", &data_, "Where each site's data lie");
    flags.Switch("--json", &json_, "For programs: what was found, as JSON");
  }

  Status Run(Io& io) override {
    CheckList list;
    Examine(list);
    io.out << (json_ ? list.Json() : list.Text()) << std::flush;
    return In(list.Verdict(), "this workspace is not fit for a run");
  }
  bool for_programs() const override { return json_; }

 private:
  void Examine(CheckList& list) const {
    if (const Status workspace = RequireWorkspace("."); !workspace) {
      return list.Bad("workspace", workspace.error());
    }
    const std::int64_t now = UnixNow();
    ExamineClock(plan_, now, list);
    const auto plan = LoadPlan(plan_, cols_);
    if (!plan) return list.Bad("plan", plan.error());
    if (const Status resolved = CheckResolved(*plan); !resolved) {
      return list.Bad("plan", resolved.error());
    }
    list.Good("plan", format("{}, hash {}..., {} rounds", plan_, plan->digest.substr(0, 8),
                             plan->aggregator.rounds_to_train));
    const bool aggregator = name_.empty() && IsAggregator(*plan);
    if (aggregator) ExamineAggregator(*plan, now, list);
    ExamineDisk(*plan, aggregator, list);
    ExamineSites(*plan, aggregator, now, list);
  }

  void ExamineAggregator(const Plan& plan, std::int64_t now, CheckList& list) const {
    if (plan.authorized.empty()) {
      list.Warn("collaborators", format("{} lists nobody who may take part", cols_),
                "fx collaborator certify adds whom it certifies");
    } else {
      list.Good("collaborators", format("{} may take part", plan.authorized.size()));
    }
    ExamineInitialModel(plan, list);
    if (plan.network.tls) {
      ExamineAggregatorCertificate(plan, now, list);
      ExamineRevocationList(plan, now, list);
    }
    ExaminePort(plan, list);
  }

  void ExamineSites(const Plan& plan, bool aggregator, std::int64_t now, CheckList& list) const {
    std::map<std::string, std::string> sites;
    if (Exists(data_)) {
      auto read = LoadDataFile(data_);
      if (!read) return list.Bad("data file", read.error());
      sites = *std::move(read);
    }
    const std::string only = LowerCase(name_);
    if (!only.empty() && !sites.contains(only)) {
      return list.Bad(
          "data of " + only,
          Error(ErrorCode::kNotFound, format("{} has no line for the collaborator {}", data_, only))
              .Hint(format("fx collaborator create -n {} -d <data path or shard>", only)));
    }
    if (only.empty() && !aggregator) WarnOfNoRole(plan, !sites.empty(), list);
    for (const auto& [name, path] : sites) {
      if (!only.empty() && name != only) continue;
      const CollaboratorName site{name};
      if (plan.network.tls) ExamineCollaboratorCertificate(plan, site, now, list);
      ExamineData(plan, site, path, list);
    }
  }

  // As names are kept; one that cannot be a name is in no file.
  static std::string LowerCase(const std::string& name) {
    const auto identity = Identity::Collaborator(name);
    return identity ? identity->name() : name;
  }

  std::string name_;
  std::string plan_ = "plan/plan.yaml";
  std::string cols_ = "plan/cols.yaml";
  std::string data_ = "plan/data.yaml";
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeDoctor() {
  return std::make_unique<DoctorCommand>();
}

}  // namespace fx
