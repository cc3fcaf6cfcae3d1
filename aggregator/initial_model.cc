#include "aggregator/initial_model.h"

#include <utility>

#include "plan/network_spec.h"
#include "rpc/pbuf.h"

namespace fx::aggregator {
namespace {

Result<Model> Load(const Path& path, const Layout& expected) {
  if (!Exists(path)) {
    return Fail(ErrorCode::kNotFound,
                "there is no initial model: " + path.string() + " does not exist");
  }
  PbufModel loaded = TRY(ReadPbuf(path));
  TRY(In(CheckLayout(LayoutOf(loaded.model), expected),
         path.string() + " is not a model of this plan's network"));
  for (const NamedTensor& named : loaded.model) {
    if (FindNonFinite(named.tensor.floats()) >= 0) {
      return Fail(ErrorCode::kInvalidArgument,
                  path.string() + ": tensor " + named.name + " has NaN or infinite values");
    }
  }
  return std::move(loaded.model);
}

}  // namespace

Result<Model> LoadInitialModel(const Path& workspace, const Plan& plan) {
  auto model = Load(workspace / plan.aggregator.init_state_path, ParameterLayout(plan.task_runner));
  if (model) return model;
  return Fail(std::move(model).error().Hint("make the initial model: fx plan initialize"));
}

}  // namespace fx::aggregator
