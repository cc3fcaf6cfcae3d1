#include "tasks/check_data.h"

#include <cmath>
#include <string>
#include <vector>

#include "core/base/format.h"

namespace fx {
namespace {

// What is wrong with a target; empty: nothing.
std::string Wrong(const NetworkSpec& network, float target) {
  const std::int64_t classes = network.num_classes();
  switch (network.loss.type) {
    case LossType::kSoftmaxCrossEntropy:
      if (target >= 0 && target < static_cast<float>(classes) && target == std::floor(target)) {
        return "";
      }
      return format(
          "has label {}, but the network tells {} classes apart (labels 0 to {}, whole numbers)",
          target, classes, classes - 1);
    case LossType::kBinaryCrossEntropy:
    case LossType::kDice:
      if (target >= 0 && target <= 1) return "";
      return format("has the target {}, expected 0 for no to 1 for yes", target);
    case LossType::kMse:
      if (std::isfinite(target)) return "";
      return format("has the target {}, expected a finite number", target);
  }
  FX_CHECK(false);
}

Status CheckShapes(const NetworkSpec& network, const DataSet& data, const char* part) {
  if (data.sample_shape() != network.input_shape) {
    return Fail(Error(ErrorCode::kInvalidArgument,
                      format("{} samples are {}, but the network takes {}", part,
                             ToString(data.sample_shape()), ToString(network.input_shape)))
                    .Hint("task_runner.settings.input_shape must be that of the data"));
  }
  const Shape wanted = TargetShape(network);
  if (data.target_shape() == wanted) return Ok();
  // One number a sample, whether it is called a list of one or not.
  if (NumElements(data.target_shape()) == 1 && NumElements(wanted) == 1) return Ok();
  return Fail(
      Error(ErrorCode::kInvalidArgument,
            format("{} targets are {}, but the network's output {} and its loss need {}", part,
                   ToString(data.target_shape()), ToString(network.output()), ToString(wanted)))
          .Hint("the last layer, the loss and the labels of the data must belong together"));
}

}  // namespace

Status CheckData(const NetworkSpec& network, const DataSet& data, const char* part) {
  if (data.size() == 0) {
    return Fail(ErrorCode::kInvalidArgument, format("there are no {} data", part));
  }
  TRY(CheckShapes(network, data, part));
  std::vector<float> sample(static_cast<std::size_t>(NumElements(network.input_shape)));
  std::vector<float> targets(static_cast<std::size_t>(NumElements(data.target_shape())));
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const auto index = static_cast<std::uint32_t>(i);
    data.Gather({&index, 1}, sample, targets);
    for (const float target : targets) {
      const std::string wrong = Wrong(network, target);
      if (wrong.empty()) continue;
      return Fail(Error(ErrorCode::kInvalidArgument, format("{} sample {} {}", part, i, wrong))
                      .Hint("samples are counted from 0, in this site's part of the data"));
    }
  }
  return Ok();
}

}  // namespace fx
