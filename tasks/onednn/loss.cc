#include "tasks/onednn/loss.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"

namespace fx::onednn {

Score SoftmaxCrossEntropy(std::span<const float> logits, std::span<const float> labels,
                          std::span<float> gradient) {
  const std::size_t classes = logits.size() / labels.size();
  const auto batch = static_cast<double>(labels.size());
  Score score;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.subspan(i * classes, classes);
    const auto label = static_cast<std::size_t>(labels[i]);
    FX_CHECK(label < classes);
    const auto largest = std::ranges::max_element(row);
    const double shift = *largest;
    double sum = 0;
    for (const float z : row) sum += std::exp(z - shift);
    score.loss += std::log(sum) + shift - row[label];
    if (largest == row.begin() + static_cast<std::ptrdiff_t>(label)) ++score.correct;
    if (gradient.empty()) continue;
    for (std::size_t j = 0; j < classes; ++j) {
      const double probability = std::exp(row[j] - shift) / sum;
      gradient[i * classes + j] =
          static_cast<float>((probability - (j == label ? 1.0 : 0.0)) / batch);
    }
  }
  return score;
}

}  // namespace fx::onednn
