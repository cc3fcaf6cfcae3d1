// What the reading of a plan leaves behind: the list of everything that is wrong with it, so that
// all of it can be said at once, and what was taken for granted where it says nothing.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "plan/key_fact.h"
#include "plan/yaml_value.h"

namespace fx {

// More are counted, but not told.
inline constexpr std::size_t kMostComplaints = 100;
// Bytes of one; longer ones, which quote long keys, are cut.
inline constexpr std::size_t kLongestComplaint = 1000;

// A key the plan does not have, and the value that is used instead, as YAML on one line.
struct Assumption {
  std::string key;
  std::string value;
};

// Collects complaints in any order and tells them in the order of the file. A complaint is one line
// without a full stop: "plan/plan.yaml:14: assigner.settings.task_groups[0].percentage is 1.4,
// expected 0 to 1".
class Complaints {
 public:
  // The observer, if there is one, outlives this.
  explicit Complaints(KeyObserver* observer = nullptr) : observer_(observer) {}
  KeyObserver* observer() const { return observer_; }

  // `text` starts with the path of the value: "network.settings.agg_port is 0, expected ...".
  void Add(const YamlValue& at, std::string text);
  void Add(const std::string& file, int line, std::string text);

  bool empty() const { return complaints_.empty(); }
  std::size_t size() const { return complaints_.size(); }

  // OK if there are none; else one kInvalidArgument error with a line each, sorted by file and
  // line, each said once.
  Status ToStatus() const;

  // "collaborator.settings.db_store_rounds", "1"
  void Assume(std::string key, std::string value);
  const std::vector<Assumption>& assumptions() const { return assumptions_; }

 private:
  struct Complaint {
    std::string file;
    int line;
    std::string text;
    auto operator<=>(const Complaint&) const = default;
  };
  KeyObserver* observer_;
  std::vector<Complaint> complaints_;
  std::vector<Assumption> assumptions_;
};

}  // namespace fx
