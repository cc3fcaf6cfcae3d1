// The update that is nearest to its neighbours, or the mean of several of those (Blanchard et al.
// 2017, "Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent"). Krum promises to
// withstand f attackers among n sites if n >= 2f + 3.
#include <algorithm>
#include <numeric>
#include <optional>

#include "aggregator/functions/registry.h"
#include "aggregator/functions/squares.h"
#include "aggregator/functions/weighted_average.h"
#include "core/base/error.h"
#include "core/base/log.h"

namespace fx::aggregator {
namespace {

std::size_t LeastSites(const Settings& settings) {
  return 2 * GetCount(settings, "attackers") + 3;
}

// As many as can be withstood in this round, in which sites may be missing.
std::size_t AttackersAmong(std::size_t sites, std::size_t wanted) {
  const std::size_t most = sites < 3 ? 0 : (sites - 3) / 2;
  if (wanted <= most) return wanted;
  LogWarning("Krum has too few updates to withstand as many attackers as the plan says",
             {{"updates", std::to_string(sites)},
              {"withstands", std::to_string(most)},
              {"plan", std::to_string(wanted)}});
  return most;
}

// The sum of the squared distances from update `i` to the `neighbours` nearest others.
double Score(std::span<const double> squares, std::size_t sites, std::size_t i,
             std::size_t neighbours) {
  std::vector<double> distances;
  for (std::size_t j = 0; j < sites; ++j) {
    if (j != i) distances.push_back(squares[PairAt(std::min(i, j), std::max(i, j))]);
  }
  std::ranges::sort(distances);
  distances.resize(std::min(neighbours, distances.size()));
  return std::accumulate(distances.begin(), distances.end(), 0.0);
}

// The first `count` by score; of equals, those before in canonical order.
std::vector<std::size_t> BestOf(const std::vector<double>& scores, std::size_t count) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return scores[i]; });
  order.resize(std::min(count, order.size()));
  return order;
}

class Krum : public AggregationFunction {
 public:
  // `selected` 0: all that the theorem allows, n - f - 2.
  Krum(std::size_t sites, std::size_t attackers, std::size_t selected)
      : sites_(sites),
        neighbours_(sites < attackers + 3 ? 1 : sites - attackers - 2),
        selected_(selected == 0 ? neighbours_ : selected) {}

  Needs needs() const override { return Needs::kDistances; }
  void Learn(std::span<const double> squares) override {
    std::vector<double> scores;
    for (std::size_t i = 0; i < sites_; ++i)
      scores.push_back(Score(squares, sites_, i, neighbours_));
    chosen_ = BestOf(scores, selected_);
    std::vector<double> weights(sites_, 0.0);
    for (const std::size_t i : chosen_) weights[i] = 1;
    mean_.emplace(std::move(weights));
  }

  // Every chosen site counts once. A single update is taken as it is.
  void Fold(const Block& block, std::span<float> out) const override {
    FX_CHECK(mean_.has_value());
    if (chosen_.size() > 1) return mean_->Fold(block, out);
    std::ranges::copy(block.updates[chosen_.front()], out.begin());
  }

 private:
  std::size_t sites_, neighbours_, selected_;
  std::vector<std::size_t> chosen_;
  std::optional<WeightedAverage> mean_;
};

std::size_t Attackers(const Settings& settings, const Contributors& contributors) {
  return AttackersAmong(contributors.size(), GetCount(settings, "attackers"));
}

std::unique_ptr<AggregationFunction> MakeKrum(const Settings& settings,
                                              const Contributors& contributors) {
  return std::make_unique<Krum>(contributors.size(), Attackers(settings, contributors), 1);
}

std::unique_ptr<AggregationFunction> MakeMultiKrum(const Settings& settings,
                                                   const Contributors& contributors) {
  return std::make_unique<Krum>(contributors.size(), Attackers(settings, contributors),
                                GetCount(settings, "selected"));
}

constexpr Setting kAttackers = {.name = "attackers",
                                .fallback = 0,
                                .low = 0,
                                .high = 100'000,
                                .whole = true,
                                .meaning = "sites that may be hostile"};
constexpr Setting kSelected = {.name = "selected",
                               .fallback = 0,
                               .low = 0,
                               .high = 100'000,
                               .whole = true,
                               .meaning = "how many updates are averaged; 0: n - attackers - 2"};

}  // namespace

FunctionRow KrumRow() {
  return {.name = "Krum",
          .alias = {},
          .settings = {kAttackers},
          .make = MakeKrum,
          .least_sites = LeastSites,
          .meaning =
              "the update with the least sum of squared distances to its n - attackers - 2 nearest "
              "among the n sites (Blanchard et al. 2017)"};
}

FunctionRow MultiKrumRow() {
  return {.name = "MultiKrum",
          .alias = {},
          .settings = {kAttackers, kSelected},
          .make = MakeMultiKrum,
          .least_sites = LeastSites,
          .meaning = "the mean of the best updates by the score of Krum (Blanchard et al. 2017)"};
}

}  // namespace fx::aggregator
