// A site whose loss is curvature / 2 (x - optimum)^2, in one number: what federations of such sites
// end at is known in closed form.
#pragma once

#include <cstdint>

#include "core/base/error.h"
#include "core/tensor/tensor.h"
#include "plan/network_spec.h"
#include "tasks/learning_rate.h"
#include "tasks/task_runner.h"

namespace fx::test {

struct Quadratic {
  double curvature = 1, optimum = 0;
  std::int64_t samples = 1, steps = 10;
};

class QuadraticRunner final : public TaskRunner {
 public:
  QuadraticRunner(const Quadratic& loss, const OptimizerSpec& optimizer)
      : loss_(loss), optimizer_(optimizer) {}

  const Layout& layout() const override { return layout_; }
  Status SetParameters(const Model& model) override {
    x_ = model.at(0).tensor.floats()[0];
    return Ok();
  }
  Model GetParameters() const override {
    Model model;
    model.push_back({.name = layout_[0].name, .tensor = Tensor::FromFloats({1}, {{x_}})});
    return model;
  }
  Model GetOptimizerState() const override { return {}; }
  Status SetOptimizerState(const Model&) override { return Ok(); }
  void ResetOptimizer() override {}

  Result<TaskReport> Train(const TaskSpec&, const TaskContext& context) override {
    const double rate = LearningRate(optimizer_, context.round);
    const double correction =
        context.correction == nullptr
            ? 0
            : static_cast<double>((*context.correction)[0].tensor.floats()[0]);
    double slope = 0, offset = 0;
    if (context.penalty != nullptr) {
      slope = static_cast<double>(context.penalty->slope[0].tensor.floats()[0]);
      offset = static_cast<double>(context.penalty->offset[0].tensor.floats()[0]);
    }
    auto x = static_cast<double>(x_);
    for (std::int64_t i = 0; i < loss_.steps; ++i) {
      x -= rate * (loss_.curvature * (x - loss_.optimum) + slope * x - offset + correction);
    }
    x_ = static_cast<float>(x);
    return TaskReport{.num_samples = loss_.samples, .metrics = {}, .steps = loss_.steps};
  }
  // Exactly the curvature.
  Result<Model> Fisher(const TaskSpec&, const TaskContext&) override {
    Model fisher = GetParameters();
    fisher[0].tensor.floats()[0] = static_cast<float>(loss_.curvature);
    return fisher;
  }
  Result<TaskReport> Validate(const TaskSpec&, const TaskContext&) override {
    return TaskReport{.num_samples = loss_.samples, .metrics = {}};
  }

 private:
  const Quadratic loss_;
  const OptimizerSpec optimizer_;
  const Layout layout_ = {{.name = "x.weight", .dtype = DType::kFloat32, .shape = {1}}};
  float x_ = 0;
};

}  // namespace fx::test
