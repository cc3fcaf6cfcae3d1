// One line of a terminal that is redrawn in place while a task runs.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>

#include "core/base/names.h"
#include "tasks/task_runner.h"

namespace fx {

// "round 3  train  epoch 1/1  12,800/30,000  1,650 samples/s  loss 0.412"
std::string ProgressText(Round round, const TaskName& task, const Progress& progress);

// Not thread-safe. Clear before anything else is written to the same terminal.
class ProgressLine {
 public:
  explicit ProgressLine(std::ostream& out) : out_(out) {}

  void Show(const std::string& text);
  void Clear();

 private:
  std::ostream& out_;
  std::size_t width_ = 0;  // of what is on the line now
};

}  // namespace fx
