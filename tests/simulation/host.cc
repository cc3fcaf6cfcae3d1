#include "tests/simulation/host.h"

namespace fx::sim {

void Host::Start() {
  if (up_ || away_) return;
  up_ = true;
  ++life_;
  Say([] { return "starts"; });
  Run(life_, [this] { Boot(); });
}

void Host::Run(std::uint64_t life, const std::function<void()>& what) {
  if (!up_ || life != life_) return;
  try {
    what();
  } catch (const Died& died) {
    Fall(died);
  }
}

void Host::Later(std::int64_t ms, std::function<void()> what) {
  world_.After(ms, [this, life = life_, what = std::move(what)] { Run(life, what); });
}

void Host::GiveUp(const Error& error) {
  throw Died{.how = Death::kGaveUp, .why = error.OneLine()};
}

void Host::End() {
  Say([] { return "has ended"; });
  up_ = false;
}

void Host::Strike() {
  if (!up_) return;
  const Death how = world_.dice.Chance(faults_.power_cut) ? Death::kPowerCut : Death::kKill;
  if (world_.dice.Chance(0.5)) {
    fuse_.Light(static_cast<int>(world_.dice.Between(1, 60)), how);
  } else {
    Fall({.how = how, .why = "between two steps"});
  }
}

void Host::TakeAway() {
  away_ = true;
  if (up_) Fall({.how = Death::kKill, .why = "taken away"});
}

void Host::BringBack() {
  away_ = false;
  Start();
}

void Host::FillDisk() {
  Say([] { return "disk full"; });
  disk_.SetFull(true);
  world_.After(world_.dice.Between(50, 15'000), [this] {
    Say([] { return "disk has room again"; });
    disk_.SetFull(false);
  });
}

void Host::Fall(const Died& died) {
  Say([&] {
    const char* const how = died.how == Death::kKill       ? "killed: "
                            : died.how == Death::kPowerCut ? "loses power: "
                                                           : "gives up: ";
    return how + died.why;
  });
  up_ = false;
  ++deaths_;
  fuse_.PutOut();
  Gone(died.how);
  if (died.how == Death::kPowerCut) disk_.PowerCut();
  world_.After(world_.dice.Between(10, faults_.down_ms), [this] { Start(); });
}

}  // namespace fx::sim
