// Exponential and logarithm as plain arithmetic, so that loops over them become vector code.
#pragma once

#include <bit>
#include <cstdint>

namespace fx::onednn {

// e^x for x <= 0, within 2e-7 of it relatively; e^-87, which is nearly the smallest normal number,
// for all that is less. NaN stays NaN. x = n ln 2 + r, and a polynomial for e^r (Moshier's Cephes).
inline float FastExp(float x) {
  constexpr float kRound = 12582912;  // 1.5 * 2^23: adding it leaves whole numbers only
  constexpr float kLn2High = 0.693359375F, kLn2Low = -2.12194440e-4F;
  x = x < -87 ? -87 : x;
  const float shifted = x * 1.44269504F + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  const std::uint32_t power = (std::bit_cast<std::uint32_t>(shifted) << 23) + 0x3F800000U;
  return (p * r * r + r + 1) * std::bit_cast<float>(power);
}

inline float FastSigmoid(float x) {
  const float e = FastExp(x < 0 ? x : -x);
  return (x < 0 ? e : 1) / (1 + e);
}

// log((1 + s) / (1 - s)) for |s| <= 1/3, within 2e-7 of it relatively: its series, 2 artanh(s).
inline float LogOfRatio(float s) {
  const float square = s * s;
  float p = 1.0F / 15;
  p = p * square + 1.0F / 13;
  p = p * square + 1.0F / 11;
  p = p * square + 1.0F / 9;
  p = p * square + 1.0F / 7;
  p = p * square + 1.0F / 5;
  p = p * square + 1.0F / 3;
  return 2 * s * (p * square + 1);
}

// log(1 + x) for x in [0, 1], within 3e-7 of it relatively.
inline float FastLog1p(float x) {
  return LogOfRatio(x / (x + 2));
}

// log(x) for a normal x >= 1, within 3e-7 of it relatively. NaN and infinity become NaN.
inline float FastLog(float x) {
  constexpr float kLn2High = 0.693359375F, kLn2Low = -2.12194440e-4F;
  const auto bits = std::bit_cast<std::int32_t>(x);
  // x = 2^n m with m in [3/4, 3/2), of which (m - 1) / (m + 1) is within a fifth of 0.
  const std::int32_t n = (bits - 0x3F400000) >> 23;
  const auto m = std::bit_cast<float>(bits - (n << 23));
  const auto whole = static_cast<float>(n);
  return whole * kLn2High + (whole * kLn2Low + LogOfRatio((m - 1) / (m + 1))) + (x - x);
}

}  // namespace fx::onednn
