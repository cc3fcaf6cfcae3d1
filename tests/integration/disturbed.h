// A federation with one site behind a faulty network: what is to happen is armed at a step of the
// site, and at the end the model must be that of an undisturbed run, with every result counted
// once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/integration/federation.h"
#include "tests/support/fault_proxy.h"

namespace fx::test {

// Bytes of one step over the proxy, each way.
struct Traffic {
  std::uint64_t up = 0, down = 0;
};

// Short enough for a test to see the end of a silence.
collaborator::LinkTimes ImpatientTimes();

// The site is ann's; other members are next to the aggregator. Updates and models have about 3 MB.
class Disturbed {
 public:
  explicit Disturbed(collaborator::LinkTimes times = {}, std::vector<std::string> members = {"ann"},
                     std::int64_t goodbye_ms = 60'000);

  // Arms `faults` when the site is about to do `step` for the first time, or the `occasion`-th,
  // from 0.
  void At(const std::string& step, std::vector<Fault> faults, int occasion = 0);
  void At(const std::string& step, std::function<void()> arm, int occasion = 0);

  // On a thread of its own, which ends before the federation does.
  void Meanwhile(std::function<void()> what) { meanwhile_.emplace_back(std::move(what)); }

  // To the end of the federation. Expects what is said above.
  void Run();

  // What the first time of `step` took on the wire, once Run has returned.
  Traffic of(const std::string& step) const { return traffic_.at(step); }

  FaultProxy& proxy() { return *proxy_; }
  TestFederation& federation() { return federation_; }
  std::uint64_t model_size() const;
  Path Spool() const;
  // Another aggregator takes over, on the same port, as after a crash.
  void RestartAggregator();

 private:
  void Before(const std::string& step);
  void After(const std::string& step);
  void ExpectEachResultOnce() const;
  aggregator::RuntimeOptions Options(std::uint16_t port) const;

  struct Arming {
    std::string step;
    int occasion;
    std::function<void()> arm;
  };

  TestFederation federation_;
  const collaborator::LinkTimes times_;
  const std::int64_t goodbye_ms_;  // the aggregator waits so long for those who are missing
  std::optional<RunningAggregator> aggregator_;
  std::optional<FaultProxy> proxy_;
  std::vector<Arming> armings_;
  std::map<std::string, int> times_begun_;
  std::map<std::string, Traffic> traffic_;
  std::vector<std::jthread> meanwhile_;
};

}  // namespace fx::test
