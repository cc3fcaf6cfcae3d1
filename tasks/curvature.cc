#include "tasks/curvature.h"

#include <cstddef>
#include <span>
#include <utility>

#include "core/base/format.h"
#include "core/tensor/model_file.h"
#include "plan/model_layout.h"
#include "tasks/site_sums.h"

namespace fx {
namespace {

double LambdaOf(const TaskSpec& task) {
  const auto found = task.aggregation_type.settings.find("lambda");
  FX_CHECK(found != task.aggregation_type.settings.end());
  return found->second;
}

class WithCurvatures final : public WithSums {
 public:
  WithCurvatures(OptTreatment treatment, std::unique_ptr<TaskRunner> runner)
      : WithSums(std::move(runner), CurvatureLayout, treatment) {}

  Result<TaskReport> Train(const TaskSpec& task, const TaskContext& context) override {
    NeedPart();
    TaskReport report = TRY(TrainHeld(task, context));
    const Model fisher = TRY(runner().Fisher(task, context));
    Move(fisher);
    TRY(CheckSums());
    return report;
  }

 private:
  Result<TaskReport> TrainHeld(const TaskSpec& task, const TaskContext& context) {
    const double lambda = LambdaOf(task);
    if (lambda == 0) return runner().Train(task, context);
    const QuadraticPenalty penalty = OfOthers(2 * lambda);
    TaskContext held = context;
    held.penalty = &penalty;
    return runner().Train(task, held);
  }

  // The gradient of scale / 2 sum_{j != k} F_j (x - x_j)^2.
  QuadraticPenalty OfOthers(double scale) const {
    const std::size_t count = trained().size();
    const Layout layout(sums_layout().begin(), sums_layout().begin() + std::ssize(trained()));
    QuadraticPenalty penalty{.slope = Zeros(layout), .offset = Zeros(layout)};
    for (std::size_t t = 0; t < count; ++t) {
      const std::span<float> slope = penalty.slope[t].tensor.floats();
      const std::span<float> offset = penalty.offset[t].tensor.floats();
      for (std::size_t i = 0; i < slope.size(); ++i) {
        const double curvature = Others(t, i);
        if (curvature <= 0) continue;
        slope[i] = static_cast<float>(scale * curvature);
        offset[i] = static_cast<float>(scale * Others(count + t, i));
      }
    }
    return penalty;
  }

  double Others(std::size_t sum, std::size_t i) const {
    return static_cast<double>(sums()[sum].tensor.floats()[i]) -
           static_cast<double>(part()[sum].tensor.floats()[i]);
  }

  // Makes the new part, and the sums that go with it.
  void Move(const Model& fisher) {
    const Model after = runner().GetParameters();
    const std::size_t count = trained().size();
    for (std::size_t t = 0; t < count; ++t) {
      const std::span<const float> curvature = fisher[t].tensor.floats();
      const std::span<const float> x = after[trained()[t]].tensor.floats();
      for (std::size_t i = 0; i < x.size(); ++i) {
        const auto u = static_cast<double>(curvature[i]);
        Replace(t, i, u);
        Replace(count + t, i, u * static_cast<double>(x[i]));
      }
    }
  }

  Status CheckSums() const {
    for (const auto& [name, tensor] : sums()) {
      if (FindNonFinite(tensor.floats()) < 0) continue;
      return Fail(Error(ErrorCode::kOutOfRange, format("{} holds values that are not finite", name))
                      .Hint("a smaller learning_rate or lambda usually helps"));
    }
    return Ok();
  }
};

}  // namespace

std::unique_ptr<TaskRunner> WithCurvature(OptTreatment treatment,
                                          std::unique_ptr<TaskRunner> runner) {
  return std::make_unique<WithCurvatures>(treatment, std::move(runner));
}

}  // namespace fx
