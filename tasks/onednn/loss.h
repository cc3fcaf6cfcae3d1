// Softmax cross-entropy of a batch, and its gradient.
#pragma once

#include <cstdint>
#include <span>

namespace fx::onednn {

// Sums over samples, so that batches add up.
struct Score {
  double loss = 0;
  std::int64_t correct = 0;  // samples whose largest logit is that of their label; ties: the first
};

// `logits` are [labels.size(), classes], row-major; labels are whole numbers below `classes`.
// Sample by sample in double: loss = log(sum_j exp(z_j)) - z_label, shifted by the largest logit so
// that nothing overflows. A logit that is NaN makes the loss NaN.
//
// `gradient`, unless empty, receives that of the mean loss over the batch:
// (softmax(z)_j - [j = label]) / labels.size().
Score SoftmaxCrossEntropy(std::span<const float> logits, std::span<const float> labels,
                          std::span<float> gradient);

}  // namespace fx::onednn
