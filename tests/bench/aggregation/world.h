// The federation that is measured: a plan of any size whose only task trains, a PKI made for the
// run, a model to begin with. Every process of a run makes the same plan from the same numbers.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/file.h"
#include "core/base/names.h"
#include "core/tensor/tensor.h"
#include "plan/plan.h"
#include "tests/support/test_pki.h"

namespace fx::bench {

inline constexpr const char* kHost = "localhost";

struct Size {
  int collaborators = 8;
  std::int64_t parameters = 10'000'000;  // float32; rounded down to a multiple of tensors
  int tensors = 8;
  bool light = false;  // collaborators that keep and train nothing: all send one prepared update
};

// `size.tensors` dense layers without biases, each with its share of the parameters.
Plan MakePlan(const Size& size, int rounds);

CollaboratorName NameOf(int collaborator);  // from 0

// Values between -0.5 and 0.5.
Model MakeModel(const Plan& plan);

// Certificates for an aggregator on this machine and `collaborators` collaborators.
void AddParties(test::TestPki& pki, int collaborators);

}  // namespace fx::bench
