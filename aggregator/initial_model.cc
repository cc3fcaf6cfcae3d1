#include "aggregator/initial_model.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "core/tensor/model_file.h"
#include "core/tensor/state_names.h"
#include "plan/model_layout.h"
#include "rpc/pbuf.h"

namespace fx::aggregator {
namespace {

// Float32 values at any address.
bool AllFinite(std::span<const std::byte> bytes) {
  std::array<float, 4096> block;
  while (!bytes.empty()) {
    const std::size_t size = std::min(sizeof block, bytes.size());
    std::memcpy(block.data(), bytes.data(), size);
    if (FindNonFinite(std::span(block).first(size / sizeof(float))) >= 0) return false;
    bytes = bytes.subspan(size);
  }
  return true;
}

Result<MappedPbuf> Load(const Path& path, const Layout& expected) {
  if (!Exists(path)) {
    return Fail(ErrorCode::kNotFound,
                "there is no initial model: " + path.string() + " does not exist");
  }
  MappedPbuf loaded = TRY(MapPbuf(path));
  if (!expected.empty()) {  // the network may be Python's
    TRY(In(CheckLayout(LayoutOf(loaded.model), expected),
           path.string() + " is not a model of this plan"));
  }
  for (const auto& [name, tensor] : loaded.model) {
    if (!AllFinite(tensor.bytes())) {
      return Fail(ErrorCode::kInvalidArgument,
                  path.string() + ": tensor " + name + " has NaN or infinite values");
    }
  }
  // Sites of a new federation have no part in the sums of an old one.
  for (auto& [name, tensor] : loaded.model) {
    if (IsSum(name)) tensor = Tensor(tensor.shape());
  }
  return loaded;
}

}  // namespace

Result<ModelId> AddInitialModel(const Path& workspace, const Plan& plan, const ModelStore& models) {
  const auto loaded = Load(workspace / plan.aggregator.init_state_path, ModelLayout(plan));
  if (loaded) return models.Add(loaded->model);
  return Fail(Error(loaded.error()).Hint("make the initial model: fx plan initialize"));
}

}  // namespace fx::aggregator
