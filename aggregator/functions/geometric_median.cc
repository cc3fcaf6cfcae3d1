// The point whose weighted sum of distances to the updates is least: up to half of the weight may
// lie anywhere (Pillutla et al. 2019, "Robust Aggregation for Federated Learning", algorithm 2, the
// smoothed Weiszfeld algorithm).
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "aggregator/functions/registry.h"
#include "aggregator/functions/squares.h"
#include "aggregator/functions/weighted_average.h"
#include "core/base/error.h"

namespace fx::aggregator {
namespace {

// Weights b_k of the updates, sum 1, so that z = sum b_k x_k. From b = a, the shares, on:
//
//   b_k = a_k / max(smoothing, |z - x_k|), divided by their sum
//
// The models themselves are not looked at, since with d2_ij = |x_i - x_j|^2
//
//   |z - x_i|^2 = sum_k b_k d2_ik - 1/2 sum_kl b_k b_l d2_kl
class Weiszfeld {
 public:
  Weiszfeld(std::span<const double> shares, std::span<const double> squares, double smoothing)
      : shares_(shares), squares_(squares), smoothing_(smoothing) {
    weights_.assign(shares.begin(), shares.end());
    Normalize();
  }

  // One iteration; how much the weights have moved, in all.
  double Step() {
    const std::vector<double> before = weights_;
    const std::vector<double> distances = Distances();
    for (std::size_t k = 0; k < weights_.size(); ++k) {
      weights_[k] = shares_[k] / std::max(smoothing_, distances[k]);
    }
    Normalize();
    double moved = 0;
    for (std::size_t k = 0; k < weights_.size(); ++k) moved += std::abs(weights_[k] - before[k]);
    return moved;
  }

  const std::vector<double>& weights() const { return weights_; }

 private:
  double Square(std::size_t i, std::size_t j) const {
    return i == j ? 0 : squares_[PairAt(std::min(i, j), std::max(i, j))];
  }

  std::vector<double> Distances() const {
    std::vector<double> to_each(weights_.size());
    double among = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      for (std::size_t k = 0; k < weights_.size(); ++k) to_each[i] += weights_[k] * Square(i, k);
      among += weights_[i] * to_each[i];
    }
    for (double& distance : to_each) distance = std::sqrt(std::max(0.0, distance - among / 2));
    return to_each;
  }

  void Normalize() {
    const double total = std::accumulate(weights_.begin(), weights_.end(), 0.0);
    for (double& weight : weights_) weight /= total;
  }

  std::span<const double> shares_, squares_;
  double smoothing_;
  std::vector<double> weights_;
};

class GeometricMedian : public AggregationFunction {
 public:
  GeometricMedian(std::vector<double> shares, double smoothing, std::size_t iterations)
      : shares_(std::move(shares)), smoothing_(smoothing), iterations_(iterations) {}

  Needs needs() const override { return Needs::kDistances; }
  void Learn(std::span<const double> squares) override {
    constexpr double kStill = 1e-12;
    Weiszfeld search(shares_, squares, smoothing_);
    for (std::size_t i = 0; i < iterations_; ++i) {
      if (search.Step() < kStill) break;
    }
    median_.emplace(search.weights());
  }

  void Fold(const Block& block, std::span<float> out) const override {
    FX_CHECK(median_.has_value());
    median_->Fold(block, out);
  }

 private:
  std::vector<double> shares_;
  double smoothing_;
  std::size_t iterations_;
  std::optional<WeightedAverage> median_;
};

std::unique_ptr<AggregationFunction> Make(const Settings& settings,
                                          const Contributors& contributors) {
  return std::make_unique<GeometricMedian>(contributors.shares, Get(settings, "smoothing"),
                                           GetCount(settings, "iterations"));
}

}  // namespace

FunctionRow GeometricMedianRow() {
  return {.name = "GeometricMedian",
          .alias = {},
          .settings = {{.name = "smoothing",
                        .fallback = 1e-5,
                        .low = 0,
                        .high = 1000,
                        .range = Setting::Range::kAbove,
                        .meaning = "distances below this count as this"},
                       {.name = "iterations",
                        .fallback = 100,
                        .low = 1,
                        .high = 10'000,
                        .whole = true,
                        .meaning = "steps of the algorithm, at most"}},
          .make = Make,
          .meaning =
              "the point with the least sum of distances to all, each weighing as its share of the "
              "samples (Pillutla et al. 2019, smoothed Weiszfeld)"};
}

}  // namespace fx::aggregator
