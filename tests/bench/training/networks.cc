#include "tests/bench/training/networks.h"

#include <cstdint>

#include "core/base/format.h"
#include "plan/load.h"
#include "tests/support/networks.h"

namespace fx::bench {
namespace {

using test::Conv2d;
using test::Dense;
using test::Flatten;
using test::MakeNetwork;
using test::MaxPool;
using test::Relu;

NetworkSpec McMahan() {
  return MakeNetwork(
      {1, 28, 28}, {Conv2d("conv1", 32, 5, 2), Relu("relu1"), MaxPool("pool1", 2),
                    Conv2d("conv2", 64, 5, 2), Relu("relu2"), MaxPool("pool2", 2),
                    Flatten("flatten"), Dense("dense1", 512), Relu("relu3"), Dense("dense2", 10)});
}

NetworkSpec Mlp() {
  return MakeNetwork({784}, {Dense("dense1", 200), Relu("relu1"), Dense("dense2", 200),
                             Relu("relu2"), Dense("dense3", 10)});
}

// Two convolutions, each with its relu.
void AddPair(std::vector<LayerSpec>& layers, const std::string& name, std::int64_t filters) {
  for (const char* const half : {"a", "b"}) {
    layers.push_back(Conv2d(name + half, filters, 3, 1));
    layers.push_back(Relu(name + half + "_relu"));
  }
}

std::int64_t Last(const std::vector<LayerSpec>& layers) {
  return std::ssize(layers) - 1;
}

NetworkSpec UNet() {
  constexpr std::int64_t kFilters = 16;
  constexpr int kLevels = 4;
  std::vector<LayerSpec> layers;
  std::vector<std::int64_t> skips;
  for (int level = 0; level < kLevels; ++level) {
    AddPair(layers, format("down{}", level), kFilters << level);
    skips.push_back(Last(layers));
    layers.push_back(MaxPool(format("pool{}", level), 2));
  }
  AddPair(layers, "middle", kFilters << kLevels);
  for (int level = kLevels; level-- > 0;) {
    layers.push_back({.type = LayerType::kConvTranspose2d,
                      .name = format("wider{}", level),
                      .filters = kFilters << level,
                      .kernel = {2, 2},
                      .stride = {2, 2}});
    layers.push_back({.type = LayerType::kConcat,
                      .name = format("join{}", level),
                      .inputs = {skips[static_cast<std::size_t>(level)], Last(layers)}});
    AddPair(layers, format("up{}", level), kFilters << level);
  }
  layers.push_back(Conv2d("head", 1, 1));
  NetworkSpec network;
  network.input_shape = {1, 128, 128};
  network.layers = std::move(layers);
  network.loss.type = LossType::kBinaryCrossEntropy;
  FX_CHECK(InferShapes(network).has_value());
  return network;
}

}  // namespace

Result<NetworkSpec> BenchNetwork(const std::string& name) {
  if (name == "mcmahan") return McMahan();
  if (name == "mlp") return Mlp();
  if (name == "unet") return UNet();
  const Path folder = Path(FX_SOURCE_DIR) / "workspace_templates" / name / "plan";
  const Plan plan = TRY(LoadPlan(folder / "plan.yaml", folder / "cols.yaml"));
  return plan.task_runner;
}

std::vector<std::string> BenchNetworks() {
  return {"cnn_mnist", "mcmahan", "mlp", "unet"};
}

}  // namespace fx::bench
