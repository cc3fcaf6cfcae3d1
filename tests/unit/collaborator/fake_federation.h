// An aggregator and a network of one site, in memory, that fail where a test says.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "collaborator/link.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/tensor/model_file.h"
#include "tasks/task_runner.h"

namespace fx::test {

// What an aggregator keeps when a collaborator dies: its round, its models, and what it accepted.
class FakeAggregator {
 public:
  FakeAggregator(Path folder, std::uint32_t rounds, std::vector<TaskName> tasks)
      : folder_(std::move(folder)), rounds_(rounds), tasks_(std::move(tasks)) {
    Model first;
    first.push_back({.name = "w", .tensor = Tensor::FromFloats({3}, {{1.0F, -2.0F, 0.5F}})});
    Commit(first);
    left_ = tasks_;
  }

  const std::vector<std::string>& accepted() const { return accepted_; }
  const ModelId& model() const { return model_; }
  std::uint32_t round() const { return round_; }

  TaskAssignment Tasks() const {
    if (round_ == rounds_) return {.round = {}, .tasks = {}, .model = {}, .quit = true};
    return {.round = Round{round_},
            .tasks = left_,
            .model = model_,
            .model_size = size_,
            .quit = false,
            .counted = counted_};
  }

  Status Copy(const ModelId& model, const Path& to) const {
    const auto bytes = ReadFile(folder_ / model.value);
    if (!bytes) return Fail(ErrorCode::kNotFound, "no such model");
    return AtomicWrite(to, *bytes);
  }

  // Takes the next result it waits for; the same again is accepted again, as the real one does.
  Status Accept(const TaskResult& result) {
    const std::string line = Line(result);
    if (!accepted_.empty() && accepted_.back() == line) return Ok();
    if (Number(result.round) != round_ || left_.empty() || result.task != left_.front()) {
      return Fail(ErrorCode::kAborted, "the round has moved on");
    }
    accepted_.push_back(line);
    if (!result.file.empty()) {
      trained_ = ReadFile(result.file).value();
      update_ = result.update;
    }
    left_.erase(left_.begin());
    if (left_.empty()) CloseRound();
    return Ok();
  }

  // Goes on without the site, which says why it cannot do its part.
  Status Note(const TaskFailure& failure) {
    if (Number(failure.round) != round_) return Fail(ErrorCode::kAborted, "the round moved on");
    failures_.push_back(format("{} {} {}", round_, failure.task.value, failure.reason));
    CloseRound();
    return Ok();
  }
  const std::vector<std::string>& failures() const { return failures_; }

  // As if other sites had been enough. What the site has done of a round counts if it is all.
  void CloseRound() {
    ++round_;
    if (left_.empty()) counted_ = update_;
    left_ = tasks_;
    if (!trained_.empty()) {
      model_.value = Sha256Hex(AsBytes(trained_));
      size_ = trained_.size();
      if (!AtomicWrite(folder_ / model_.value, trained_)) std::abort();
    }
  }

 private:
  static std::string Line(const TaskResult& result) {
    std::string line = std::to_string(Number(result.round)) + " " + result.task.value + " " +
                       std::to_string(result.num_samples);
    for (const Metric& metric : result.metrics) line += " " + std::to_string(metric.value);
    if (!result.file.empty()) line += " " + Sha256Hex(AsBytes(ReadFile(result.file).value()));
    return line;
  }

  void Commit(const Model& model) {
    const auto written = WriteModelFile(folder_ / "new", model, DigestKind::kSha256);
    model_.value = written->digest;
    size_ = written->size;
    if (!RenameDurably(folder_ / "new", folder_ / model_.value)) std::abort();
  }

  Path folder_;
  std::uint32_t rounds_;
  std::vector<TaskName> tasks_;
  std::uint32_t round_ = 0;
  std::vector<TaskName> left_;
  ModelId model_;
  std::uint64_t size_ = 0;
  std::string trained_;
  UpdateId update_, counted_;
  std::vector<std::string> accepted_;
  std::vector<std::string> failures_;
};

// Asked before and after each call: an error to fail with, or none. A failure before leaves the
// aggregator as it was; one after is a reply that was lost.
using Trouble = std::function<std::optional<Error>()>;

class FakeLink : public Link {
 public:
  FakeLink(FakeAggregator& aggregator, Trouble trouble)
      : aggregator_(aggregator), trouble_(std::move(trouble)) {}

  Result<std::optional<TaskAssignment>> GetTasks() override {
    if (auto error = trouble_()) return Fail(*std::move(error));
    const TaskAssignment tasks = aggregator_.Tasks();
    if (auto error = trouble_()) return Fail(*std::move(error));
    return tasks;
  }
  Status Download(const ModelId& model, std::uint64_t, const Path& to) override {
    if (auto error = trouble_()) return Fail(*std::move(error));
    if (Status copied = aggregator_.Copy(model, to); !copied) return copied;
    if (auto error = trouble_()) return Fail(*std::move(error));
    return Ok();
  }
  Status Send(const TaskResult& result) override {
    if (auto error = trouble_()) return Fail(*std::move(error));
    if (Status accepted = aggregator_.Accept(result); !accepted) return accepted;
    if (auto error = trouble_()) return Fail(*std::move(error));
    return Ok();
  }
  Status Report(const TaskFailure& failure) override {
    if (auto error = trouble_()) return Fail(*std::move(error));
    if (Status noted = aggregator_.Note(failure); !noted) return noted;
    if (auto error = trouble_()) return Fail(*std::move(error));
    return Ok();
  }

 private:
  FakeAggregator& aggregator_;
  Trouble trouble_;
};

// "Trains" by arithmetic that depends on everything real training depends on: the parameters, the
// optimizer's state, and the round.
class FakeRunner : public TaskRunner {
 public:
  FakeRunner(Trouble trouble, int* trainings)
      : trouble_(std::move(trouble)), trainings_(trainings) {}

  const Layout& layout() const override { return layout_; }
  Status SetParameters(const Model& model) override {
    if (Status same = CheckLayout(LayoutOf(model), layout_); !same) return same;
    weights_ = Clone(model);
    return Ok();
  }
  Model GetParameters() const override { return Clone(weights_); }
  Model GetOptimizerState() const override {
    Model state;
    state.push_back({.name = "momentum", .tensor = Tensor::FromFloats({1}, {{momentum_}})});
    return state;
  }
  Status SetOptimizerState(const Model& state) override {
    momentum_ = state.at(0).tensor.floats()[0];
    return Ok();
  }
  void ResetOptimizer() override { momentum_ = 0; }

  Result<TaskReport> Train(const TaskSpec&, const TaskContext& context) override {
    if (auto error = trouble_()) return Fail(*std::move(error));
    ++*trainings_;
    momentum_ = momentum_ * 0.5F + 1;
    for (float& w : weights_.at(0).tensor.floats()) {
      w = w * 0.9F + momentum_ * static_cast<float>(1 + Number(context.round));
    }
    if (auto error = trouble_()) return Fail(*std::move(error));
    return TaskReport{.num_samples = 100, .metrics = {{"loss", momentum_}}};
  }
  Result<TaskReport> Validate(const TaskSpec&, const TaskContext&) override {
    if (auto error = trouble_()) return Fail(*std::move(error));
    double sum = 0;
    for (const float w : weights_.at(0).tensor.floats()) sum += static_cast<double>(w);
    return TaskReport{.num_samples = 10, .metrics = {{"accuracy", sum}}};
  }

 private:
  Trouble trouble_;
  int* trainings_;
  Layout layout_ = {{.name = "w", .dtype = DType::kFloat32, .shape = {3}}};
  Model weights_;
  float momentum_ = 0;
};

}  // namespace fx::test
