// The simplest layers one at a time, and the judge itself: a wrong definition must be told.
#include "tests/numeric/one_layer.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "tests/support/networks.h"

namespace fx::test {
namespace {

Values DenseOf(const LayerInput& at, std::size_t features, std::size_t units) {
  const Values& x = at.inputs[0];
  const Values& w = at.parameters.at("weight");
  Values y;
  for (std::size_t n = 0; n < x.size() / features; ++n) {
    for (std::size_t u = 0; u < units; ++u) {
      double sum = at.parameters.at("bias")[u];
      for (std::size_t f = 0; f < features; ++f) sum += w[u * features + f] * x[n * features + f];
      y.push_back(sum);
    }
  }
  return y;
}

TEST(OneLayer, DenseIsAProductAndASum) {
  CheckLayer({.spec = Dense("dense", 4), .inputs = {{6}}, .value = {}},
             [](const LayerInput& at) { return DenseOf(at, 6, 4); });
}

TEST(OneLayer, DenseTakesEveryStepOfASequenceByItself) {
  CheckLayer({.spec = Dense("dense", 4), .inputs = {{5, 6}}, .value = {}},
             [](const LayerInput& at) { return DenseOf(at, 6, 4); });
}

LayerSpec Embedding(std::int64_t entries, std::int64_t units) {
  return {.type = LayerType::kEmbedding, .name = "embedding", .units = units, .entries = entries};
}

TEST(OneLayer, EmbeddingIsARowForEachNumber) {
  constexpr std::size_t kUnits = 19;
  CheckLayer({.spec = Embedding(5, kUnits),
              .inputs = {{7}},
              .differentiable_inputs = false,
              .value = [](std::size_t, std::size_t i) { return static_cast<double>(i * i % 5); }},
             [&](const LayerInput& at) {
               Values y;
               for (const double x : at.inputs[0]) {
                 const auto row = at.parameters.at("weight").begin() +
                                  static_cast<std::ptrdiff_t>(x) * std::ptrdiff_t{kUnits};
                 y.insert(y.end(), row, row + kUnits);
               }
               return y;
             });
}

TEST(OneLayer, TellsAWrongDefinition) {
  EXPECT_FATAL_FAILURE(CheckLayer({.spec = Dense("dense", 4), .inputs = {{6}}, .value = {}},
                                  [](const LayerInput& at) {
                                    Values y = DenseOf(at, 6, 4);
                                    y[5] += 0.01;
                                    return y;
                                  }),
                       "output[5]");
}

}  // namespace
}  // namespace fx::test
