#include "fx/plan/initialize.h"

#include <algorithm>
#include <string>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/replace_file.h"
#include "core/tensor/state_names.h"
#include "fx/host_name.h"
#include "fx/workspace/marker.h"
#include "pki/identity.h"
#include "plan/load.h"
#include "plan/resolve.h"
#include "rpc/pbuf.h"
#include "tasks/shared_optimizer.h"

namespace fx {
namespace {

class PlanInitialize : public Command {
 public:
  std::string_view noun() const override { return "plan"; }
  std::string_view verb() const override { return "initialize"; }
  std::string_view summary() const override {
    return "Fix the aggregator's address in the plan, and make the initial model";
  }
  std::string_view example() const override { return "fx plan initialize -a agg.example.org"; }

  void Declare(Flags& flags) override {
    flags.WorkspaceFile("-p,--plan_config", &plan_, "The plan");
    flags.WorkspaceFile("-c,--cols_config", &cols_, "The collaborators that may take part");
    flags.WorkspaceFile("-d,--data_config", &data_, "Where each collaborator's data lies");
    flags.Text("-a,--aggregator_address", &address_,
               "Name or address of the aggregator; this machine's unless the plan has one");
    flags.Text("-f,--input_shape", &input_shape_,
               "Must be the plan's task_runner.settings.input_shape, if given");
    flags.Text("-g,--gandlf_config", &gandlf_, "Not supported");
    flags.Text("-r,--install_reqs", &install_,
               "Accepted for OpenFL's sake; there is nothing to install");
  }

  Status Run(Io& io) override { return In(Initialize(io), "cannot initialize the plan"); }

 private:
  Status Initialize(Io& io) const {
    TRY(RequireWorkspace("."));
    const Plan before = TRY(LoadPlan(plan_, cols_));
    TRY(CheckOptions(before));
    if (Exists(data_)) TRY(LoadDataFile(data_));
    TRY(FixAddress(before));

    const Plan plan = TRY(LoadPlan(plan_, cols_));
    const Path init = plan.aggregator.init_state_path;
    if (plan.task_runner.layers.empty()) return UseModelOfPython(plan, io);
    const Model model = InitialModel(plan);
    TRY(MakeFolders(init.parent_path()));
    TRY(WritePbuf(init, model, 0));
    Describe(plan, model, io.out);
    io.err << "Next: fx workspace certify\n";
    return Ok();
  }

  // The network is a Python class, so its first model is made by OpenFL.
  Status UseModelOfPython(const Plan& plan, Io& io) const {
    const Path init = plan.aggregator.init_state_path;
    if (!Exists(init)) {
      const PythonPart& part = plan.python_parts.back();
      return Fail(Error(ErrorCode::kFailedPrecondition,
                        format("the network is Python's ({} is {}), and {} does not exist",
                               part.key, part.found, init.string()))
                      .Hint(format("copy the file that OpenFL's `fx plan initialize` made; or "
                                   "describe the network: {} {}",
                                   part.key, part.instead)));
    }
    const PbufModel loaded = TRY(ReadPbuf(init));
    Describe(plan, loaded.model, io.out);
    io.err << "The initial model is the one that was there. Only the aggregator can run this "
              "plan: its sites need Python.\n";
    return Ok();
  }

  Status CheckOptions(const Plan& plan) const {
    if (!gandlf_.empty()) {
      return Fail(Error(ErrorCode::kUnimplemented, "GaNDLF configurations are not supported")
                      .Hint("declare the network in the plan's task_runner.settings.layers"));
    }
    if (plan.task_runner.layers.empty()) return Ok();
    const std::string declared = ToString(plan.task_runner.input_shape);
    if (input_shape_.empty() || Bare(input_shape_) == Bare(declared)) return Ok();
    return Fail(Error(ErrorCode::kInvalidArgument,
                      format("--input_shape is {}, but the network of {} takes {}", input_shape_,
                             plan_, declared))
                    .Hint("change task_runner.settings.input_shape in the plan instead"));
  }

  // A shape without what people write around and between its numbers.
  static std::string Bare(std::string shape) {
    std::ranges::replace(shape, ',', ' ');
    std::string bare;
    for (const char c : shape) {
      const bool digit = c >= '0' && c <= '9';
      if (digit || (c == ' ' && !bare.empty() && bare.back() != ' ')) bare += c;
    }
    return bare.substr(0, bare.find_last_not_of(' ') + 1);
  }

  Status FixAddress(const Plan& plan) const {
    std::string address = address_;
    if (address.empty() && plan.network.agg_addr == "auto") address = DefaultFqdn();
    if (!address.empty()) address = TRY(Identity::Aggregator(address)).name();
    const std::string text = TRY(ReadFile(plan_));
    const std::string resolved = TRY(ResolvePlan(text, plan_, address));
    return resolved == text ? Ok() : ReplaceFile(plan_, resolved);
  }

  void Describe(const Plan& plan, const Model& model, std::ostream& out) const {
    std::int64_t parameters = 0, state = 0, sums = 0;
    for (const auto& [name, tensor] : model) {
      const bool kept = name.starts_with(kOptimizerStatePrefix);
      (kept ? state : IsSum(name) ? sums : parameters) += tensor.num_elements();
    }
    std::string shared;
    if (state > 0) shared = format(" and {} of the optimizer's state", state);
    if (sums > 0) shared = format(" and {} of sums over sites", sums);
    out << format("Plan           {}\n", plan_) << format("Plan hash      {}\n", plan.digest)
        << format("Federation     {}\n", plan.federation_uuid)
        << format("Aggregator     {}:{}\n", plan.network.agg_addr, plan.network.agg_port)
        << format("Initial model  {} ({} parameters{} in {} tensors)\n",
                  plan.aggregator.init_state_path.string(), parameters, shared, model.size());
  }

  std::string plan_ = "plan/plan.yaml";
  std::string cols_ = "plan/cols.yaml";
  std::string data_ = "plan/data.yaml";
  std::string address_, input_shape_, gandlf_;
  std::string install_ = "True";
};

}  // namespace

std::unique_ptr<Command> MakePlanInitialize() {
  return std::make_unique<PlanInitialize>();
}

}  // namespace fx
