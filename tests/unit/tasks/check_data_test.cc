#include "tasks/check_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "tests/support/matchers.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;

// Three samples of two zeros, with given targets.
class Targets final : public DataSet {
 public:
  Targets(Shape shape, std::vector<float> targets)
      : shape_(std::move(shape)), targets_(std::move(targets)) {}
  std::int64_t size() const override { return 3; }
  const Shape& sample_shape() const override { return sample_shape_; }
  const Shape& target_shape() const override { return shape_; }
  void Gather(std::span<const std::uint32_t> indices, std::span<float> samples,
              std::span<float> targets) const override {
    std::ranges::fill(samples, 0.0F);
    const std::size_t size = targets_.size() / 3;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      targets[i] = targets_[indices[i / size] * size + i % size];
    }
  }

 private:
  const Shape sample_shape_ = {2}, shape_;
  const std::vector<float> targets_;
};

Status Check(LossType loss, Shape output, Shape target, std::vector<float> targets) {
  NetworkSpec network;
  network.input_shape = {2};
  network.layers.push_back({.type = LayerType::kTanh, .name = "last", .output = std::move(output)});
  network.loss.type = loss;
  return CheckData(network, Targets(std::move(target), std::move(targets)), "training");
}

TEST(CheckData, TakesWhatFits) {
  EXPECT_THAT(Check(LossType::kSoftmaxCrossEntropy, {3}, {}, {0, 1, 2}), IsOk());
  EXPECT_THAT(Check(LossType::kSoftmaxCrossEntropy, {2, 3}, {2}, {0, 1, 2, 2, 0, 0}), IsOk());
  EXPECT_THAT(Check(LossType::kBinaryCrossEntropy, {1}, {}, {0, 1, 0.5F}), IsOk());
  EXPECT_THAT(Check(LossType::kMse, {2}, {2}, {0, -1, 1e9F, 3, 4, 5}), IsOk());
}

TEST(CheckData, RefusesTargetsOfAnotherShape) {
  EXPECT_THAT(Check(LossType::kMse, {2}, {}, {0, 1, 2}),
              IsError(ErrorCode::kInvalidArgument, "training targets are [], but"));
  EXPECT_THAT(Check(LossType::kSoftmaxCrossEntropy, {3, 1, 2}, {2, 1}, {0, 0, 0, 0, 0, 0}),
              IsError(ErrorCode::kInvalidArgument, "need [1, 2]"));
}

TEST(CheckData, RefusesAClassTheNetworkHasNoOutputFor) {
  for (const float bad : {3.0F, -1.0F, 0.5F, std::nanf("")}) {
    EXPECT_THAT(Check(LossType::kSoftmaxCrossEntropy, {3}, {}, {0, bad, 2}),
                IsError(ErrorCode::kInvalidArgument, "training sample 1 has label"));
  }
}

TEST(CheckData, RefusesAnswersThatAreNeitherYesNorNo) {
  for (const LossType loss : {LossType::kBinaryCrossEntropy, LossType::kDice}) {
    for (const float bad : {255.0F, -1.0F, std::nanf("")}) {
      EXPECT_THAT(Check(loss, {1, 1, 2}, {1, 1, 2}, {0, 1, 0, 1, 0, bad}),
                  IsError(ErrorCode::kInvalidArgument, "training sample 2 has the target"));
    }
  }
}

TEST(CheckData, RefusesTargetsThatAreNotFinite) {
  EXPECT_THAT(Check(LossType::kMse, {1}, {}, {std::nanf(""), 1, 2}),
              IsError(ErrorCode::kInvalidArgument, "training sample 0 has the target nan"));
}

}  // namespace
}  // namespace fx
