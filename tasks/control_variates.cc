#include "tasks/control_variates.h"

#include <cstddef>
#include <span>
#include <utility>

#include "core/base/format.h"
#include "plan/model_layout.h"
#include "tasks/learning_rate.h"
#include "tasks/site_sums.h"

namespace fx {
namespace {

// The number of samples comes last.
double SamplesOf(const Model& controls) {
  return static_cast<double>(controls.back().tensor.floats().front());
}

Status CheckSamples(const Model& controls) {
  const double samples = SamplesOf(controls);
  if (samples >= 0) return Ok();
  return Fail(ErrorCode::kInvalidArgument,
              format("{} is {}, expected a number of samples", controls.back().name, samples));
}

class WithControls final : public WithSums {
 public:
  WithControls(const OptimizerSpec& optimizer, std::unique_ptr<TaskRunner> runner)
      : WithSums(std::move(runner), ControlLayout, OptTreatment::kReset), optimizer_(optimizer) {
    FX_CHECK(optimizer.type == OptimizerType::kSgd && optimizer.momentum == 0);
  }

  Result<TaskReport> Train(const TaskSpec& task, const TaskContext& context) override {
    NeedPart();
    const Model correction = TRY(Correction());
    const Model before = Clone(runner().GetParameters());
    TaskContext corrected = context;
    if (!correction.empty()) corrected.correction = &correction;
    TaskReport report = TRY(runner().Train(task, corrected));
    const double way = static_cast<double>(report.steps) * LearningRate(optimizer_, context.round);
    if (way > 0) Move(before, correction, way, static_cast<double>(report.num_samples));
    return report;
  }

 private:
  Status Check(const Model& controls) const override { return CheckSamples(controls); }

  // c - c_k; empty without a part in the sums. Of a site alone it is exactly 0.
  Result<Model> Correction() const {
    const double own = SamplesOf(part()), all = SamplesOf(sums());
    if (own == 0) return Model();
    if (all <= 0) {
      return Fail(
          ErrorCode::kInvalidArgument,
          format("{} is {}, but there is a part of this site in it", sums().back().name, all));
    }
    Model correction = Zeros(Layout(sums_layout().begin(), sums_layout().end() - 1));
    for (std::size_t t = 0; t < correction.size(); ++t) {
      const std::span<float> out = correction[t].tensor.floats();
      const std::span<const float> sum = sums()[t].tensor.floats();
      const std::span<const float> part_of_it = part()[t].tensor.floats();
      for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<float>(static_cast<double>(sum[i]) / all -
                                    static_cast<double>(part_of_it[i]) / own);
      }
    }
    return correction;
  }

  // Makes the new part, and the sums that go with it.
  void Move(const Model& before, const Model& correction, double way, double samples) {
    const Model after = runner().GetParameters();
    for (std::size_t t = 0; t < trained().size(); ++t) {
      const std::span<const float> x = before[trained()[t]].tensor.floats();
      const std::span<const float> y = after[trained()[t]].tensor.floats();
      for (std::size_t i = 0; i < x.size(); ++i) {
        double gradient = (static_cast<double>(x[i]) - static_cast<double>(y[i])) / way;
        if (!correction.empty()) gradient -= static_cast<double>(correction[t].tensor.floats()[i]);
        Replace(t, i, samples * gradient);
      }
    }
    Replace(trained().size(), 0, samples);
  }

  const OptimizerSpec optimizer_;
};

}  // namespace

std::unique_ptr<TaskRunner> WithControlVariates(const OptimizerSpec& optimizer,
                                                std::unique_ptr<TaskRunner> runner) {
  return std::make_unique<WithControls>(optimizer, std::move(runner));
}

}  // namespace fx
