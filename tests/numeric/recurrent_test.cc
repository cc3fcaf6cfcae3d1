// lstm and gru against the formulas of torch.nn.LSTM and torch.nn.GRU.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/numeric/one_layer.h"

namespace fx::test {
namespace {

constexpr std::size_t kBatch = 3, kTime = 4, kFeatures = 5, kUnits = 6;

double Sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

// Row `row` of weight x + bias.
double Product(const LayerInput& at, const std::string& suffix, std::size_t row, const double* x,
               std::size_t width) {
  double sum = at.parameters.at("bias_" + suffix)[row];
  for (std::size_t i = 0; i < width; ++i) {
    sum += at.parameters.at("weight_" + suffix)[row * width + i] * x[i];
  }
  return sum;
}

// One unit of one sample: what the gates see of the step's input and of the state before it.
struct Seen {
  const LayerInput& at;
  const double* x;
  const Values& state;
  std::size_t unit;

  double Input(std::size_t gate) const {
    return Product(at, "ih", gate * kUnits + unit, x, kFeatures);
  }
  double State(std::size_t gate) const {
    return Product(at, "hh", gate * kUnits + unit, state.data(), kUnits);
  }
  double Both(std::size_t gate) const { return Input(gate) + State(gate); }
};

double LstmUnit(const Seen& seen, double& cell) {
  cell = Sigmoid(seen.Both(1)) * cell + Sigmoid(seen.Both(0)) * std::tanh(seen.Both(2));
  return Sigmoid(seen.Both(3)) * std::tanh(cell);
}

double GruUnit(const Seen& seen, double&) {
  const double reset = Sigmoid(seen.Both(0)), update = Sigmoid(seen.Both(1));
  const double candidate = std::tanh(seen.Input(2) + reset * seen.State(2));
  return (1 - update) * candidate + update * seen.state[seen.unit];
}

Values RecurrentOf(const LayerSpec& spec, const LayerInput& at) {
  Values out;
  for (std::size_t n = 0; n < kBatch; ++n) {
    Values state(kUnits), cells(kUnits);
    for (std::size_t t = 0; t < kTime; ++t) {
      const double* const x = at.inputs[0].data() + (n * kTime + t) * kFeatures;
      Values next;
      for (std::size_t u = 0; u < kUnits; ++u) {
        const Seen seen{.at = at, .x = x, .state = state, .unit = u};
        next.push_back(spec.type == LayerType::kLstm ? LstmUnit(seen, cells[u])
                                                     : GruUnit(seen, cells[u]));
      }
      state = next;
      const bool put_out = spec.return_sequences || t + 1 == kTime;
      if (put_out) out.insert(out.end(), state.begin(), state.end());
    }
  }
  return out;
}

void CheckRecurrent(LayerType type, bool return_sequences, bool training = true) {
  const LayerSpec spec = {.type = type,
                          .name = "recurrent",
                          .units = std::int64_t{kUnits},
                          .return_sequences = return_sequences};
  CheckLayer({.spec = spec,
              .inputs = {{std::int64_t{kTime}, std::int64_t{kFeatures}}},
              .batch = std::int64_t{kBatch},
              .training = training},
             [&](const LayerInput& at) { return RecurrentOf(spec, at); });
}

TEST(Lstm, OfAllStepsIsItsDefinition) {
  CheckRecurrent(LayerType::kLstm, true);
}
TEST(Lstm, OfTheLastStepIsItsDefinition) {
  CheckRecurrent(LayerType::kLstm, false);
}
TEST(Lstm, EvaluatedIsItsDefinition) {
  CheckRecurrent(LayerType::kLstm, true, false);
}
TEST(Gru, OfAllStepsIsItsDefinition) {
  CheckRecurrent(LayerType::kGru, true);
}
TEST(Gru, OfTheLastStepIsItsDefinition) {
  CheckRecurrent(LayerType::kGru, false);
}
TEST(Gru, EvaluatedIsItsDefinition) {
  CheckRecurrent(LayerType::kGru, false, false);
}

}  // namespace
}  // namespace fx::test
