#include "tasks/onednn/update_rules.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"

namespace fx::onednn {
namespace {

// Fewer elements than this are done before a second thread has woken up.
constexpr std::ptrdiff_t kWorthThreads = 1 << 14;
constexpr std::ptrdiff_t kBlock = 1 << 14;  // of a sum

// A copy of `body` for each thread, which no store can change, or the loop is not vector code.
template <typename Body>
void ForEach(std::ptrdiff_t size, int threads, Body body) {
#pragma omp parallel num_threads(threads) firstprivate(body) if (size >= kWorthThreads)
  {
#pragma omp for simd schedule(static)
    for (std::ptrdiff_t i = 0; i < size; ++i) body(i);
  }
}

void Sgd(const Update& u, const OptimizerSpec& spec, float rate, int threads) {
  const auto decay = static_cast<float>(spec.weight_decay);
  const auto momentum = static_cast<float>(spec.momentum);
  const auto [w, g, v, unused, size] = u;
  if (v == nullptr) {
    ForEach(size, threads, [=](std::ptrdiff_t i) { w[i] -= rate * (g[i] + decay * w[i]); });
  } else if (spec.nesterov) {
    ForEach(size, threads, [=](std::ptrdiff_t i) {
      const float gradient = g[i] + decay * w[i];
      v[i] = momentum * v[i] + gradient;
      w[i] -= rate * (gradient + momentum * v[i]);
    });
  } else {
    ForEach(size, threads, [=](std::ptrdiff_t i) {
      v[i] = momentum * v[i] + (g[i] + decay * w[i]);
      w[i] -= rate * v[i];
    });
  }
}

void Adam(const Update& u, const OptimizerSpec& spec, double learning_rate, double t, int threads) {
  const bool decoupled = spec.type == OptimizerType::kAdamW;
  const auto decay = static_cast<float>(decoupled ? 0 : spec.weight_decay);
  const auto keep = static_cast<float>(decoupled ? 1 - learning_rate * spec.weight_decay : 1);
  const auto beta1 = static_cast<float>(spec.beta1), beta2 = static_cast<float>(spec.beta2);
  const auto rest1 = static_cast<float>(1 - spec.beta1);
  const auto rest2 = static_cast<float>(1 - spec.beta2);
  const auto rate = static_cast<float>(learning_rate / (1 - std::pow(spec.beta1, t)));
  const auto unbias = static_cast<float>(1 / (1 - std::pow(spec.beta2, t)));
  const auto epsilon = static_cast<float>(spec.epsilon);
  const auto [w, g, m, v, size] = u;
  ForEach(size, threads, [=](std::ptrdiff_t i) {
    const float gradient = g[i] + decay * w[i];
    m[i] = beta1 * m[i] + rest1 * gradient;
    v[i] = beta2 * v[i] + rest2 * gradient * gradient;
    w[i] = keep * w[i] - rate * m[i] / (std::sqrt(v[i] * unbias) + epsilon);
  });
}

void AdaGrad(const Update& u, const OptimizerSpec& spec, float rate, int threads) {
  const auto decay = static_cast<float>(spec.weight_decay);
  const auto epsilon = static_cast<float>(spec.epsilon);
  const auto [w, g, sum, unused, size] = u;
  ForEach(size, threads, [=](std::ptrdiff_t i) {
    const float gradient = g[i] + decay * w[i];
    sum[i] += gradient * gradient;
    w[i] -= rate * gradient / (std::sqrt(sum[i]) + epsilon);
  });
}

void RmsProp(const Update& u, const OptimizerSpec& spec, float rate, int threads) {
  const auto decay = static_cast<float>(spec.weight_decay);
  const auto momentum = static_cast<float>(spec.momentum);
  const auto epsilon = static_cast<float>(spec.epsilon);
  const auto keep = static_cast<float>(spec.decay), rest = static_cast<float>(1 - spec.decay);
  const auto [w, g, v, b, size] = u;
  const auto direction = [=](std::ptrdiff_t i) {
    const float gradient = g[i] + decay * w[i];
    v[i] = keep * v[i] + rest * gradient * gradient;
    return gradient / (std::sqrt(v[i]) + epsilon);
  };
  if (b == nullptr) {
    ForEach(size, threads, [=](std::ptrdiff_t i) { w[i] -= rate * direction(i); });
  } else {
    ForEach(size, threads, [=](std::ptrdiff_t i) {
      b[i] = momentum * b[i] + direction(i);
      w[i] -= rate * b[i];
    });
  }
}

double SumOfSquares(std::span<const float> values) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += static_cast<double>(values[i]) * values[i];
  }
  return sum;
}

// Block by block, whose sums are then added in order.
double SumOfSquares(std::span<const float> values, int threads) {
  const std::ptrdiff_t blocks = (std::ssize(values) + kBlock - 1) / kBlock;
  std::vector<double> sums(static_cast<std::size_t>(blocks));
#pragma omp parallel for schedule(static) num_threads(threads) if (blocks > 1)
  for (std::ptrdiff_t b = 0; b < blocks; ++b) {
    const auto begin = static_cast<std::size_t>(b * kBlock);
    const std::size_t size = std::min(std::size_t{kBlock}, values.size() - begin);
    sums[static_cast<std::size_t>(b)] = SumOfSquares(values.subspan(begin, size));
  }
  double sum = 0;
  for (const double s : sums) sum += s;
  return sum;
}

}  // namespace

void Apply(const Update& update, const OptimizerSpec& spec, double rate, double steps,
           int threads) {
  const auto narrow = static_cast<float>(rate);
  switch (spec.type) {
    case OptimizerType::kSgd:
      return Sgd(update, spec, narrow, threads);
    case OptimizerType::kAdam:
    case OptimizerType::kAdamW:
      return Adam(update, spec, rate, steps, threads);
    case OptimizerType::kAdaGrad:
      return AdaGrad(update, spec, narrow, threads);
    case OptimizerType::kRmsProp:
      return RmsProp(update, spec, narrow, threads);
  }
  FX_CHECK(false);
}

void AddProximal(std::span<float> gradient, std::span<const float> w, std::span<const float> anchor,
                 double mu, int threads) {
  FX_CHECK(w.size() == gradient.size() && anchor.size() == gradient.size());
  ForEach(std::ssize(gradient), threads,
          [g = gradient.data(), w = w.data(), a = anchor.data(),
           m = static_cast<float>(mu)](std::ptrdiff_t i) { g[i] += m * (w[i] - a[i]); });
}

void AddPenalty(std::span<float> gradient, std::span<const float> w, std::span<const float> slope,
                std::span<const float> offset, int threads) {
  FX_CHECK(w.size() == gradient.size() && slope.size() == w.size() && offset.size() == w.size());
  ForEach(std::ssize(gradient), threads,
          [g = gradient.data(), w = w.data(), a = slope.data(),
           b = offset.data()](std::ptrdiff_t i) { g[i] += a[i] * w[i] - b[i]; });
}

void AddSquares(std::span<float> sum, std::span<const float> gradient, int threads) {
  FX_CHECK(sum.size() == gradient.size());
  ForEach(std::ssize(sum), threads,
          [s = sum.data(), g = gradient.data()](std::ptrdiff_t i) { s[i] += g[i] * g[i]; });
}

void AddTo(std::span<float> gradient, std::span<const float> correction, int threads) {
  FX_CHECK(correction.size() == gradient.size());
  ForEach(std::ssize(gradient), threads,
          [g = gradient.data(), c = correction.data()](std::ptrdiff_t i) { g[i] += c[i]; });
}

void ClipValues(std::span<float> gradient, double limit, int threads) {
  ForEach(std::ssize(gradient), threads,
          [g = gradient.data(), most = static_cast<float>(limit)](std::ptrdiff_t i) {
            g[i] = g[i] > most ? most : g[i] < -most ? -most : g[i];
          });
}

void ClipNorm(const std::vector<std::span<float>>& gradients, double limit, int threads) {
  double sum = 0;
  for (const std::span<float> gradient : gradients) sum += SumOfSquares(gradient, threads);
  const double scale = limit / (std::sqrt(sum) + 1e-6);
  if (scale >= 1) return;
  for (const std::span<float> gradient : gradients) {
    ForEach(std::ssize(gradient), threads,
            [g = gradient.data(), s = static_cast<float>(scale)](std::ptrdiff_t i) { g[i] *= s; });
  }
}

}  // namespace fx::onednn
