#include "tasks/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "core/base/format.h"
#include "plan/metric_names.h"

namespace fx {
namespace {

constexpr std::array<std::string_view, 7> kOfCounts = {"accuracy", "acc",    "dice",     "iou",
                                                       "f1",       "recall", "precision"};

bool IsOfCounts(const std::string& name) {
  return std::ranges::find(kOfCounts, name) != kOfCounts.end();
}

std::string Listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

double Ratio(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

// From the sum of the ranks of the yes, of which there are some, but not all; equal scores share
// the mean of their ranks.
double Auroc(std::vector<std::pair<float, bool>> scores) {
  std::ranges::sort(scores);
  double ranks = 0, yes = 0;
  for (std::size_t begin = 0; begin < scores.size();) {
    std::size_t end = begin;
    double equal_yes = 0;
    while (end < scores.size() && scores[end].first == scores[begin].first) {
      equal_yes += scores[end++].second ? 1 : 0;
    }
    ranks += equal_yes * static_cast<double>(begin + 1 + end) / 2;
    yes += equal_yes;
    begin = end;
  }
  const double no = static_cast<double>(scores.size()) - yes;
  return (ranks - yes * (yes + 1) / 2) / (yes * no);
}

}  // namespace

Result<MetricSums> MetricSums::Make(const NetworkSpec& network, const TaskSpec& task) {
  const std::vector<std::string> known = MetricNamesFor(network);
  for (const std::string& name : task.metrics) {
    if (std::ranges::find(known, name) != known.end()) continue;
    return Fail(
        ErrorCode::kInvalidArgument,
        format("task {} asks for the metric {}, expected for this loss and output one of {}",
               task.name.value, name, Listed(known)));
  }
  return MetricSums(network, task);
}

MetricSums::MetricSums(const NetworkSpec& network, const TaskSpec& task)
    : names_(task.metrics),
      loss_(network.loss.type),
      axes_(network.output()),
      counts_(std::ranges::any_of(names_, IsOfCounts)),
      scores_wanted_(Asks("auroc")),
      classes_(axes_.classes),
      scores_(axes_.classes) {}

bool MetricSums::Asks(const std::string& name) const {
  return std::ranges::find(names_, name) != names_.end();
}

void MetricSums::Add(std::span<const float> outputs, std::span<const float> targets) {
  if (loss_ == LossType::kMse) {
    answers_ += std::ssize(outputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      absolute_error_ += std::abs(static_cast<double>(outputs[i]) - targets[i]);
    }
    return;
  }
  if (scores_wanted_) KeepScores(outputs, targets);
  if (!counts_) return;
  if (loss_ == LossType::kSoftmaxCrossEntropy) {
    CountClasses(outputs, targets);
  } else {
    CountAnswers(outputs, targets);
  }
}

std::size_t MetricSums::LargestOf(std::span<const float> outputs, std::size_t begin) const {
  std::size_t largest = 0;
  float value = outputs[begin];
  for (std::size_t c = 1; c < axes_.classes; ++c) {
    const float other = outputs[begin + c * axes_.class_stride];
    if (other <= value) continue;
    largest = c;
    value = other;
  }
  return largest;
}

void MetricSums::CountClasses(std::span<const float> outputs, std::span<const float> targets) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const std::size_t begin =
        i / axes_.places * axes_.size() + i % axes_.places * axes_.place_stride;
    const std::size_t found = LargestOf(outputs, begin);
    const auto there = static_cast<std::size_t>(targets[i]);
    ++classes_[found].found;
    ++classes_[there].there;
    if (found == there) ++classes_[found].both;
    right_ += found == there ? 1 : 0;
  }
  answers_ += std::ssize(targets);
}

void MetricSums::CountAnswers(std::span<const float> outputs, std::span<const float> targets) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    Counts& counts = classes_[i / axes_.class_stride % axes_.classes];
    const bool found = outputs[i] > 0, there = targets[i] > 0.5F;
    counts.found += found ? 1 : 0;
    counts.there += there ? 1 : 0;
    counts.both += found && there ? 1 : 0;
    right_ += found == there ? 1 : 0;
  }
  answers_ += std::ssize(outputs);
}

void MetricSums::KeepScores(std::span<const float> outputs, std::span<const float> targets) {
  const std::size_t classes = axes_.classes;
  if (loss_ == LossType::kSoftmaxCrossEntropy) {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      KeepOdds(outputs.subspan(i * classes, classes), static_cast<std::size_t>(targets[i]));
    }
    return;
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    scores_[i % classes].emplace_back(outputs[i], targets[i] > 0.5F);
  }
}

// The logarithm of p / (1 - p), which orders as the probability p does but never rounds to 1. The
// others are summed anew for the largest alone: only there would the difference cancel.
void MetricSums::KeepOdds(std::span<const float> outputs, std::size_t label) {
  const std::size_t largest = LargestOf(outputs, 0);
  const double shift = outputs[largest];
  double others = 0;
  for (std::size_t c = 0; c < outputs.size(); ++c) {
    if (c != largest) others += std::exp(outputs[c] - shift);
  }
  for (std::size_t c = 0; c < outputs.size(); ++c) {
    const double rest = c == largest ? others : 1 + others - std::exp(outputs[c] - shift);
    scores_[c].emplace_back(static_cast<float>(outputs[c] - shift - std::log(rest)), c == label);
  }
}

template <typename Of>
double MetricSums::MeanOfClasses(Of of) const {
  const bool binary = loss_ == LossType::kSoftmaxCrossEntropy && axes_.classes == 2;
  double sum = 0;
  std::int64_t count = 0;
  for (std::size_t c = binary ? 1 : 0; c < classes_.size(); ++c) {
    if (classes_[c].found + classes_[c].there == 0) continue;
    sum += of(classes_[c]);
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : 1;
}

double MetricSums::MeanAuroc() const {
  double sum = 0;
  std::int64_t count = 0;
  for (const Scores& scores : scores_) {
    const auto yes = std::ranges::count(scores, true, &Scores::value_type::second);
    if (yes == 0 || yes == std::ssize(scores)) continue;
    sum += Auroc(scores);
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : 0.5;
}

double MetricSums::Value(const std::string& name) const {
  if (name == "mae") return absolute_error_ / static_cast<double>(answers_);
  if (name == "auroc") return MeanAuroc();
  if (name == "iou") {
    return MeanOfClasses([](Counts c) { return Ratio(c.both, c.found + c.there - c.both); });
  }
  if (name == "precision") {
    return MeanOfClasses([](Counts c) { return Ratio(c.both, c.found); });
  }
  if (name == "recall") {
    return MeanOfClasses([](Counts c) { return Ratio(c.both, c.there); });
  }
  if (name == "dice" || name == "f1") {
    return MeanOfClasses([](Counts c) { return Ratio(2 * c.both, c.found + c.there); });
  }
  return Ratio(right_, answers_);
}

std::vector<Metric> MetricSums::Values(double mean_loss) const {
  std::vector<Metric> metrics;
  for (const std::string& name : names_) {
    metrics.push_back({.name = name, .value = name == "loss" ? mean_loss : Value(name)});
  }
  return metrics;
}

}  // namespace fx
