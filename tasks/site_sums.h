// What SCAFFOLD and FedCurv have in common at a site: sums over all sites that come with the model,
// and this site's part in them (docs/adr/0018).
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "plan/plan.h"
#include "tasks/task_runner.h"

namespace fx {

// A runner whose model has sums after the parameters of `runner`. The site's part in them is the
// optimizer's state: laid out like the sums, kept by the site, and the one to go on from is that of
// this site's update that is in the model. After it comes `runner`'s state, if the treatment is
// CONTINUE_LOCAL. Who derives from this trains, and moves the part.
class WithSums : public TaskRunner {
 public:
  const Layout& layout() const final { return layout_; }
  Status SetParameters(const Model& model) final;
  Model GetParameters() const final;
  Model GetOptimizerState() const final;
  Status SetOptimizerState(const Model& state) final;
  void ResetOptimizer() final;
  Result<TaskReport> Validate(const TaskSpec& task, const TaskContext& context) final;

 protected:
  // `layout_of` says which sums there are, of the runner's layout.
  WithSums(std::unique_ptr<TaskRunner> runner, Layout (*layout_of)(const Layout& parameters),
           OptTreatment treatment);

  // What is wrong with the values of sums, or of a part.
  virtual Status Check(const Model& /*sums*/) const { return Ok(); }

  TaskRunner& runner() { return *runner_; }
  const Layout& sums_layout() const { return sums_layout_; }
  // Of all sites; empty before there was a model.
  const Model& sums() const { return sums_; }
  // This site's; empty if none is known.
  const Model& part() const { return part_; }
  // The indices of the trained ones among the runner's parameters, in order.
  const std::vector<std::size_t>& trained() const { return trained_; }

  // Makes a part of zeros, if none is known.
  void NeedPart();
  // Replaces an element of the part, and moves that of the sum by as much; to exactly the part, if
  // that is all there is.
  void Replace(std::size_t tensor, std::size_t i, double part);

 private:
  const std::unique_ptr<TaskRunner> runner_;
  const Layout sums_layout_;
  const Layout layout_;  // of the runner, and sums_layout_
  const bool keeps_optimizer_;
  std::vector<std::size_t> trained_;
  Model sums_;
  Model part_;
};

// A model of zeros.
Model Zeros(const Layout& layout);

}  // namespace fx
