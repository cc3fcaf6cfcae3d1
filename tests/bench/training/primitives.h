// The primitives of a network by themselves: what is left when loading, loops of our own and
// everything between them costs nothing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "tasks/onednn/network.h"
#include "tasks/onednn/optimizer.h"

namespace fx::bench {

class Primitives {
 public:
  // A training network for `batch` samples. Sets the threads of the calling thread.
  static Result<std::unique_ptr<Primitives>> Make(NetworkSpec network, std::int64_t batch);

  // How many of each kind a batch runs: "reorder".
  std::map<std::string, int> Kinds() const;
  // Seconds of one batch: each primitive run several times in a row, the median; summed over those
  // that multiply, pool or normalise: neither reorders nor what is done element by element.
  double Seconds();

 private:
  explicit Primitives(NetworkSpec network);

  const NetworkSpec network_;
  onednn::Context context_;
  std::vector<onednn::Parameter> parameters_;
  std::unique_ptr<onednn::Network> compiled_;
};

}  // namespace fx::bench
