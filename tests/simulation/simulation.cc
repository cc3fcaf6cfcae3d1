#include "tests/simulation/simulation.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/base/format.h"
#include "tests/simulation/aggregator_host.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/site_host.h"

namespace fx::sim {
namespace {

// Longer than any patience of the two programs, but not so long that the engine's idle tick, once
// an hour, can rescue a federation that forgot a deadline.
constexpr std::int64_t kPatienceMs = 50 * 60'000;
constexpr std::int64_t kMaxSteps = 100'000;

class Federation {
 public:
  Federation(const Scenario& scenario, std::uint64_t seed, bool tracing)
      : faults_(scenario.faults),
        world_(seed, tracing),
        wire_(world_, faults_),
        aggregator_(world_, faults_, scenario.plan, wire_) {
    wire_.Connect(aggregator_);
    for (const CollaboratorName& who : scenario.plan.authorized) {
      sites_.push_back(std::make_unique<SiteHost>(world_, faults_, scenario.plan, who, wire_,
                                                  aggregator_.witness()));
    }
  }

  // Until everyone knows that it is over.
  void Run() {
    aggregator_.Start();
    for (const auto& site : sites_) {
      world_.After(world_.dice.Between(0, 500), [&] { site->Start(); });
      Trouble(faults_.site_life_ms, [&] { site->Strike(); });
      Trouble(faults_.disk_full_ms, [&] { site->FillDisk(); });
    }
    Trouble(faults_.comings_ms, [this] { ComeOrGo(); });
    Trouble(faults_.server_life_ms, [this] { aggregator_.Strike(); });
    Trouble(faults_.disk_full_ms, [this] { aggregator_.FillDisk(); });
    while (!over()) {
      Check(world_.Step(), "nothing happens any more, and the federation is not over");
      Check(world_.now() < faults_.calm_after_ms + kPatienceMs && world_.steps() < kMaxSteps,
            "the federation does not end by itself");
      StartAgainIfNeeded();
    }
    aggregator_.CheckEnd();
  }

  const aggregator::State& journal() { return aggregator_.witness().journal(); }
  const World& world() const { return world_; }
  std::int64_t deaths() const {
    std::int64_t deaths = aggregator_.deaths();
    for (const auto& site : sites_) deaths += site->deaths();
    return deaths;
  }

 private:
  bool over() const {
    return aggregator_.left() && std::ranges::all_of(sites_, [](const auto& site) {
             return site->left() || site->away();
           });
  }

  // A collaborator is taken off the authorised list, or comes back onto it; one stays.
  void ComeOrGo() {
    const auto last = static_cast<std::int64_t>(sites_.size()) - 1;
    const auto& site = sites_[static_cast<std::size_t>(world_.dice.Between(0, last))];
    if (site->left()) return;
    if (site->away()) {
      site->BringBack();
    } else if (members().size() > 1) {
      site->TakeAway();
    }
    aggregator_.SetMembers(members());
  }
  std::vector<CollaboratorName> members() const {
    std::vector<CollaboratorName> members;
    for (const auto& site : sites_) {
      if (!site->away()) members.push_back({site->name()});
    }
    return members;
  }

  // An aggregator that has left does not wait for a site that was down; its administrator starts it
  // again, and it tells the site.
  void StartAgainIfNeeded() {
    if (!aggregator_.left() || aggregator_.up() || returning_ || over()) return;
    returning_ = true;
    world_.After(10'000, [this] {
      returning_ = false;
      if (!over()) aggregator_.Start();
    });
  }

  // Again and again, until it is calm.
  void Trouble(std::int64_t mean_ms, std::function<void()> strike) {
    if (mean_ms == 0) return;
    world_.After(world_.dice.Between(1, 2 * mean_ms), [this, mean_ms, strike = std::move(strike)] {
      if (world_.now() >= faults_.calm_after_ms) return;
      strike();
      Trouble(mean_ms, strike);
    });
  }

  const Faults faults_;
  World world_;
  Wire wire_;
  AggregatorHost aggregator_;
  std::vector<std::unique_ptr<SiteHost>> sites_;
  bool returning_ = false;
};

bool SameOutcome(const aggregator::State& a, const aggregator::State& b) {
  return a.model == b.model && a.round == b.round && a.best.has_value() == b.best.has_value() &&
         (!a.best || (a.best->model == b.best->model && a.best->score == b.best->score));
}

}  // namespace

Story Tell(std::uint64_t seed, bool tracing) {
  const Scenario scenario = DrawScenario(seed);
  Story story{.violation = {}, .summary = Describe(scenario), .trace = {}};
  Federation federation(scenario, seed, tracing);
  try {
    federation.Run();
    if (scenario.has_one_end) {
      const Scenario quiet{.plan = scenario.plan, .faults = {}};
      Federation undisturbed(quiet, seed, false);
      undisturbed.Run();
      Check(SameOutcome(federation.journal(), undisturbed.journal()),
            "the models are not those of the undisturbed federation");
    }
  } catch (const Violation& violation) {
    story.violation = violation.what;
  }
  story.trace = federation.world().trace();
  story.steps = federation.world().steps();
  story.deaths = federation.deaths();
  return story;
}

}  // namespace fx::sim
