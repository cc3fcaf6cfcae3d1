// The aggregator's part of SCAFFOLD and of FedCurv: by hand, and by what it must equal.
#include "aggregator/functions/sums.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "aggregator/functions/registry.h"
#include "tests/unit/aggregator/job_fixture.h"

namespace fx::aggregator {
namespace {

using testing::ElementsAre;
using Floats = std::vector<float>;

struct Federation {
  Contributors sites;
  Settings settings = {};
  std::string name = "SCAFFOLD";

  Floats Fold(Kind kind, const Floats& base, const std::vector<Floats>& updates) const {
    const auto function = MakeAggregationFunction(name, settings, sites);
    const std::vector<std::span<const float>> spans(updates.begin(), updates.end());
    Floats next(base.size());
    function->Fold({.base = base, .updates = spans, .kind = kind}, next);
    return next;
  }
};

const Federation kTwo = {.sites = {.shares = {0.75, 0.25}, .steps = {}}};

// The sums were 10. One site's part moved by 2, the other's by -7.
TEST(Scaffold, SumsMoveByWhatTheirPartsMovedWhateverTheSamples) {
  EXPECT_THAT(kTwo.Fold(Kind::kSum, {10, 0}, {{12, 1}, {3, 2}}), ElementsAre(5, 3));
}

TEST(Scaffold, ASumStaysWhereNoPartHasMoved) {
  EXPECT_THAT(kTwo.Fold(Kind::kSum, {0.1F, -7}, {{0.1F, -7}, {0.1F, -7}}), ElementsAre(0.1F, -7));
}

TEST(Scaffold, OfOneSiteTheSumBecomesWhatItSentBitForBit) {
  const Federation one = {.sites = {.shares = {1}, .steps = {}}};
  EXPECT_THAT(one.Fold(Kind::kSum, {1e20F, 0.3F}, {{1e-20F, 0.1F}}), ElementsAre(1e-20F, 0.1F));
}

TEST(Scaffold, TrainedTensorsGoOnByTheRateTimesTheMeanChange) {
  Federation federation = kTwo;
  federation.settings = {{"global_learning_rate", 0.5}};
  EXPECT_THAT(federation.Fold(Kind::kTrained, {1}, {{3}, {-1}}), ElementsAre(1.5F));
}

TEST(Scaffold, WithRateOneTrainedTensorsAreTheWeightedAverageBitForBit) {
  Federation average = kTwo;
  average.name = "WeightedAverage";
  const std::vector<Floats> updates = {{0.1F, 1e7F, 3}, {0.7F, -2, 1e-9F}};
  EXPECT_EQ(kTwo.Fold(Kind::kTrained, {0.3F, 5, 7}, updates),
            average.Fold(Kind::kTrained, {0.3F, 5, 7}, updates));
}

TEST(Scaffold, RunningStatisticsAreAveragedWhateverTheRate) {
  Federation federation = kTwo;
  federation.settings = {{"global_learning_rate", 9}};
  EXPECT_THAT(federation.Fold(Kind::kStatistics, {1}, {{3}, {-1}}), ElementsAre(2));
}

const Federation kCurved = {.sites = kTwo.sites, .settings = {{"lambda", 0.5}}, .name = "FedCurv"};

TEST(FedCurv, SumsMoveByWhatTheirPartsMovedWhateverTheSamples) {
  EXPECT_THAT(kCurved.Fold(Kind::kSum, {10, 0}, {{12, 1}, {3, 2}}), ElementsAre(5, 3));
}

TEST(FedCurv, AllElseIsTheWeightedAverageBitForBit) {
  Federation average = kTwo;
  average.name = "WeightedAverage";
  const std::vector<Floats> updates = {{0.1F, 1e7F, 3}, {0.7F, -2, 1e-9F}};
  for (const Kind kind : {Kind::kTrained, Kind::kStatistics}) {
    EXPECT_EQ(kCurved.Fold(kind, {0.3F, 5, 7}, updates), average.Fold(kind, {0.3F, 5, 7}, updates));
  }
}

TEST(FedCurv, HasOpenFLsName) {
  EXPECT_EQ(FindAggregationFunction("FedCurvWeightedAverage"), FindAggregationFunction("FedCurv"));
}

class SumsJob : public test::JobFixture {
 protected:
  // A weight and two sums, of these names.
  Model ModelOf(float weight, float first, float second) const {
    Model model;
    model.push_back({"fc.weight", Tensor::FromFloats({1}, {{weight}})});
    model.push_back({names_[0], Tensor::FromFloats({1}, {{first}})});
    model.push_back({names_[1], Tensor::FromFloats({}, {{second}})});
    return model;
  }

  // From a model of 1 and no sums.
  std::vector<float> Next() {
    action_.base = *models_.Add(ModelOf(1, 0, 0));
    Stage("ann", ModelOf(2, 30, 3), 3);
    Stage("bob", ModelOf(6, -10, 1), 1);
    const Result<ModelId> next = Run();
    EXPECT_TRUE(next) << next.error().message();
    if (!next) return {};
    const ModelFile file = *models_.OpenModel(*next);
    std::vector<float> values;
    for (const NamedTensor& entry : file.View()) values.push_back(entry.tensor.floats().front());
    return values;
  }

  std::array<std::string, 2> names_;
};

TEST_F(SumsJob, KnowsThoseOfControlVariatesByTheirNames) {
  how_.function = {.function = "SCAFFOLD", .settings = {}};
  names_ = {"__control_fc.weight", "__control_samples"};
  EXPECT_THAT(Next(), ElementsAre(3, 20, 4));
}

TEST_F(SumsJob, KnowsThoseOfCurvaturesByTheirNames) {
  how_.function = {.function = "FedCurv", .settings = {}};
  names_ = {"__curvature_fc.weight_u", "__curvature_fc.weight_v"};
  EXPECT_THAT(Next(), ElementsAre(3, 20, 4));
}

TEST_F(SumsJob, OfARoundThatForgetsSumsAreZeroAndAllElseAsEver) {
  how_.function = {.function = "SCAFFOLD", .settings = {}};
  names_ = {"__control_fc.weight", "__control_samples"};
  action_.forgets = true;
  EXPECT_THAT(Next(), ElementsAre(3, 0, 0));
}

// What it needs to learn, and what it keeps, are the function's own.
TEST(ForgettingSums, LeavesTheFunctionWhatItIs) {
  for (const char* name : {"NormClipping", "FedAdam", "Krum"}) {
    const Contributors sites = {.shares = {0.25, 0.25, 0.25, 0.25}, .steps = {}};
    const auto plain = MakeAggregationFunction(name, {}, sites);
    const auto forgets = ForgettingSums(MakeAggregationFunction(name, {}, sites));
    EXPECT_EQ(forgets->needs(), plain->needs()) << name;
    EXPECT_EQ(forgets->Memories(), plain->Memories()) << name;
  }
}

}  // namespace
}  // namespace fx::aggregator
