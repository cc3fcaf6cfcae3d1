// A federation of sites whose losses are quadratic, in one process: where it ends is known in
// closed form.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "aggregator/functions/registry.h"
#include "aggregator/functions/sums.h"
#include "core/tensor/state_names.h"
#include "tests/support/must.h"
#include "tests/support/quadratic.h"

namespace fx::test {

// The same rounds as a federation's, in one process.
class Quadratics {
 public:
  // `site` makes a site's part of the function.
  using MakeSite = std::function<std::unique_ptr<TaskRunner>(std::unique_ptr<TaskRunner>)>;
  Quadratics(std::vector<Quadratic> losses, const OptimizerSpec& optimizer,
             AggregationSpec function, const MakeSite& site)
      : losses_(std::move(losses)) {
    task_.aggregation_type = std::move(function);
    for (const Quadratic& loss : losses_) {
      sites_.push_back(
          {.runner = site(std::make_unique<QuadraticRunner>(loss, optimizer)), .part = {}});
    }
    for (const TensorSpec& spec : sites_.front().runner->layout()) {
      model_.push_back({.name = spec.name, .tensor = Tensor(spec.shape)});
    }
  }

  // What a site sends. Its part moves unless that is lost.
  enum class Fate { kCounts, kRefused, kRefusedButRemembered };
  struct Turn {
    std::size_t site;
    Fate fate = Fate::kCounts;
  };
  // With `forgets` as a round that is aggregated after somebody has left for good.
  void Round(const std::vector<Turn>& turns, bool forgets = false) {
    std::vector<Model> updates;
    aggregator::Contributors contributors;
    for (const auto& [site, fate] : turns) {
      Model update = Train(sites_[site], fate);
      if (fate != Fate::kCounts) continue;
      updates.push_back(std::move(update));
      contributors.shares.push_back(static_cast<double>(losses_[site].samples));
    }
    if (!updates.empty()) Aggregate(updates, contributors, forgets);
    if (!forgets) return;
    for (Site& site : sites_) site.part.clear();
  }
  void Rounds(int count) { RoundsOf(sites_.size(), count); }
  // Of the first `sites` alone.
  void RoundsOf(std::size_t sites, int count) {
    for (int round = 0; round < count; ++round) Round(First(sites));
  }
  static std::vector<Turn> First(std::size_t sites) {
    std::vector<Turn> turns;
    for (std::size_t k = 0; k < sites; ++k) turns.push_back({.site = k});
    return turns;
  }

  double x() const { return Value(model_, 0); }
  // Of the model's sums, and what of it is a site's.
  double sum(std::size_t which = 0) const { return Value(model_, 1 + which); }
  double part(std::size_t site, std::size_t which = 0) const {
    return Value(sites_[site].part, which);
  }

 private:
  struct Site {
    std::unique_ptr<TaskRunner> runner;
    Model part;
  };

  static double Value(const Model& model, std::size_t tensor) {
    return static_cast<double>(model.at(tensor).tensor.floats()[0]);
  }

  Model Train(Site& site, Fate fate) const {
    Must(site.runner->SetParameters(model_));
    Must(site.runner->SetOptimizerState(site.part));
    Must(site.runner->Train(task_, {}));
    if (fate != Fate::kRefused) site.part = site.runner->GetOptimizerState();
    return Clone(site.runner->GetParameters());
  }

  void Aggregate(const std::vector<Model>& updates, const aggregator::Contributors& contributors,
                 bool forgets) {
    const AggregationSpec& type = task_.aggregation_type;
    auto function = aggregator::MakeAggregationFunction(type.function, type.settings, contributors);
    if (forgets) function = aggregator::ForgettingSums(std::move(function));
    for (std::size_t t = 0; t < model_.size(); ++t) {
      const Tensor base = model_[t].tensor.Clone();
      std::vector<std::span<const float>> spans;
      for (const Model& update : updates) spans.push_back(update[t].tensor.floats());
      function->Fold(
          {.base = base.floats(),
           .updates = spans,
           .kind = IsSum(model_[t].name) ? aggregator::Kind::kSum : aggregator::Kind::kTrained},
          model_[t].tensor.floats());
    }
  }

  const std::vector<Quadratic> losses_;
  TaskSpec task_;
  std::vector<Site> sites_;
  Model model_;
};

}  // namespace fx::test
