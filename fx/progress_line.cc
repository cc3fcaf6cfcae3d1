#include "fx/progress_line.h"

#include <cmath>

#include "core/base/format.h"

namespace fx {
namespace {

// 30000 as "30,000".
std::string Grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = number < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

}  // namespace

std::string ProgressText(Round round, const TaskName& task, const Progress& progress) {
  std::string text = format("round {}  {}", Number(round), task.value);
  if (progress.epochs > 0) text += format("  epoch {}/{}", progress.epoch, progress.epochs);
  text += format("  {}/{}", Grouped(progress.samples), Grouped(progress.total));
  text += format("  {} samples/s", Grouped(std::llround(progress.samples_per_second)));
  return text + format("  loss {:.3f}", progress.loss);
}

void ProgressLine::Show(const std::string& text) {
  out_ << '\r' << text;
  if (text.size() < width_) out_ << std::string(width_ - text.size(), ' ');
  out_ << std::flush;
  width_ = text.size();
}

void ProgressLine::Clear() {
  if (width_ == 0) return;
  out_ << '\r' << std::string(width_, ' ') << '\r' << std::flush;
  width_ = 0;
}

}  // namespace fx
