// Adaptive optimizers at the aggregator, the average change D standing for the gradient (Reddi et
// al. 2021, "Adaptive Federated Optimization", algorithm 2):
//
//   m    = beta1 * m + (1 - beta1) * D
//   v    = v + D^2                                            FedAdagrad
//   v    = v - (1 - beta2) * D^2 * sign(v - D^2)              FedYogi
//   v    = beta2 * v + (1 - beta2) * D^2                      FedAdam
//   next = base + learning_rate * m / (sqrt(v) + epsilon)
//
// m starts at 0 and v at epsilon^2; neither is corrected for that. (epsilon is the paper's tau.)
#include <cmath>

#include "aggregator/functions/changes.h"
#include "aggregator/functions/registry.h"
#include "aggregator/functions/weighted_average.h"

namespace fx::aggregator {
namespace {

struct Adagrad {
  explicit Adagrad(const Settings&) {}
  double Next(double v, double square) const { return v + square; }
};

struct Yogi {
  explicit Yogi(const Settings& settings) : beta2(Get(settings, "beta2")) {}
  double Next(double v, double square) const {
    const double sign = v > square ? 1 : v < square ? -1 : 0;
    return v - (1 - beta2) * square * sign;
  }
  double beta2;
};

struct Adam {
  explicit Adam(const Settings& settings) : beta2(Get(settings, "beta2")) {}
  double Next(double v, double square) const { return beta2 * v + (1 - beta2) * square; }
  double beta2;
};

template <typename Squares>
class Adaptive : public AggregationFunction {
 public:
  Adaptive(const Settings& settings, const std::vector<double>& shares)
      : learning_rate_(Get(settings, "learning_rate")),
        beta1_(Get(settings, "beta1")),
        epsilon_(Get(settings, "epsilon")),
        squares_(settings),
        average_(shares) {}

  std::vector<float> Memories() const override {
    return {0.0F, static_cast<float>(epsilon_ * epsilon_)};
  }

  void Fold(const Block& block, std::span<float> out) const override {
    if (block.kind != Kind::kTrained) return average_.Fold(block, out);
    ForEachChange(average_, block, [&](std::size_t begin, std::span<const double> changes) {
      for (std::size_t i = 0; i < changes.size(); ++i) {
        const double step =
            Step(changes[i], block.memories[0][begin + i], block.memories[1][begin + i]);
        out[begin + i] = block.base[begin + i] + static_cast<float>(step);
      }
    });
  }

 private:
  double Step(double change, float& momentum, float& square) const {
    const double m = beta1_ * static_cast<double>(momentum) + (1 - beta1_) * change;
    const double v = squares_.Next(static_cast<double>(square), change * change);
    momentum = static_cast<float>(m);
    square = static_cast<float>(v);
    return learning_rate_ * m / (std::sqrt(v) + epsilon_);
  }

  double learning_rate_, beta1_, epsilon_;
  Squares squares_;
  WeightedAverage average_;
};

template <typename Squares>
std::unique_ptr<AggregationFunction> Make(const Settings& settings,
                                          const Contributors& contributors) {
  return std::make_unique<Adaptive<Squares>>(settings, contributors.shares);
}

Setting Rate(std::string_view name, double fallback, std::string_view meaning) {
  return {.name = name,
          .fallback = fallback,
          .low = 0,
          .high = 1,
          .range = Setting::Range::kBelow,
          .meaning = meaning};
}

std::vector<Setting> SettingsWith(double beta1) {
  return {{.name = "learning_rate",
           .fallback = 0.01,
           .low = 0,
           .high = 1000,
           .range = Setting::Range::kAbove,
           .meaning = "size of a step"},
          Rate("beta1", beta1, "memory of the change, D"),
          {.name = "epsilon",
           .fallback = 0.001,
           .low = 1e-10,
           .high = 1,
           .meaning = "keeps a step finite"}};
}

std::vector<Setting> SettingsWithBeta2() {
  std::vector<Setting> settings = SettingsWith(0.9);
  settings.push_back(Rate("beta2", 0.99, "memory of its square"));
  return settings;
}

}  // namespace

FunctionRow FedAdagradRow() {
  return {.name = "FedAdagrad",
          .alias = "AdagradAdaptiveAggregation",
          .settings = SettingsWith(0),
          .make = Make<Adagrad>,
          .meaning =
              "a step of learning_rate m / (sqrt(v) + epsilon) with m = beta1 m + (1 - beta1) D "
              "and v = v + D^2 (Reddi et al. 2021, algorithm 2)"};
}

FunctionRow FedAdamRow() {
  return {.name = "FedAdam",
          .alias = "AdamAdaptiveAggregation",
          .settings = SettingsWithBeta2(),
          .make = Make<Adam>,
          .meaning =
              "as FedAdagrad, with v = beta2 v + (1 - beta2) D^2 (Reddi et al. 2021, algorithm 2)"};
}

FunctionRow FedYogiRow() {
  return {.name = "FedYogi",
          .alias = "YogiAdaptiveAggregation",
          .settings = SettingsWithBeta2(),
          .make = Make<Yogi>,
          .meaning =
              "as FedAdagrad, with v = v - (1 - beta2) D^2 sign(v - D^2) (Reddi et al. 2021, "
              "algorithm 2)"};
}

}  // namespace fx::aggregator
