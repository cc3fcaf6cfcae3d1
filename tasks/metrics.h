// The metrics a task reports, added up over batches of a network's outputs.
//
// With softmax_cross_entropy a place is told to be of the class with the largest output, the first
// of equal ones. With binary_cross_entropy and dice each output is a question by itself, answered
// with yes if it is above 0 (its sigmoid above 1/2); the truth is yes if the target is above 1/2.
// Per class, with TP right finds, FP wrong finds and FN misses over all places of all samples:
//
//   accuracy, acc  share of right answers, over all places and questions
//   dice, f1       2 TP / (2 TP + FP + FN)
//   iou            TP / (TP + FP + FN)
//   precision      TP / (TP + FP), 0 if nothing is found
//   recall         TP / (TP + FN), 0 if there is nothing to find
//   auroc          the share of pairs of a yes and a no in which the yes has the larger output, or
//                  probability with softmax; equal ones count half (Mann, Whitney 1947; Hanley,
//                  McNeil 1982). Classes of which all or none are yes are left out; 1/2 if
//                  that leaves none
//   mae            mse only: the mean of |output - target|
//   loss           the mean of what is trained on
//
// Reported is the mean over classes, or over questions, leaving out those that are neither found
// nor there (1 if that leaves none); of two classes, that of the second one, the positive one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/names.h"
#include "plan/network_spec.h"
#include "plan/plan.h"
#include "tasks/output_axes.h"

namespace fx {

class MetricSums {
 public:
  // Refuses a metric that is not known, or means nothing for the network's loss. auroc keeps every
  // output until the end, so it is refused where a sample has many places.
  static Result<MetricSums> Make(const NetworkSpec& network, const TaskSpec& task);

  // `outputs` are [batch, output] and finite, `targets` [batch, target] (TargetShape), row-major.
  void Add(std::span<const float> outputs, std::span<const float> targets);

  // In the order of the task. At least one sample was added.
  std::vector<Metric> Values(double mean_loss) const;

 private:
  struct Counts {
    std::int64_t both = 0, found = 0, there = 0;
  };
  using Scores = std::vector<std::pair<float, bool>>;  // of each sample, and whether it is a yes

  MetricSums(const NetworkSpec& network, const TaskSpec& task);
  bool Asks(const std::string& name) const;
  std::size_t LargestOf(std::span<const float> outputs, std::size_t begin) const;
  void CountClasses(std::span<const float> outputs, std::span<const float> targets);
  void CountAnswers(std::span<const float> outputs, std::span<const float> targets);
  void KeepScores(std::span<const float> outputs, std::span<const float> targets);
  void KeepOdds(std::span<const float> outputs, std::size_t label);
  template <typename Of>
  double MeanOfClasses(Of of) const;
  double MeanAuroc() const;
  double Value(const std::string& name) const;

  std::vector<std::string> names_;
  LossType loss_;
  OutputAxes axes_;
  bool counts_ = false, scores_wanted_ = false;
  std::vector<Counts> classes_;
  std::vector<Scores> scores_;  // a class
  std::int64_t right_ = 0, answers_ = 0;
  double absolute_error_ = 0;
};

}  // namespace fx
