#include "pki/expiry.h"

#include <ctime>

#include "core/base/format.h"

namespace fx {
namespace {

constexpr std::int64_t kDay = std::int64_t{24} * 3600;

std::string InDays(std::int64_t days) {
  if (days == 0) return "within a day";
  return format("in {} day{}", days, days == 1 ? "" : "s");
}

}  // namespace

std::int64_t UnixNow() {
  return static_cast<std::int64_t>(std::time(nullptr));
}

Freshness FreshnessOf(const Validity& validity, std::int64_t now) {
  if (now < validity.from) return Freshness::kNotYet;
  if (now > validity.to) return Freshness::kEnded;
  return validity.to - now < kWarnDays * kDay ? Freshness::kEnding : Freshness::kFresh;
}

std::int64_t DaysLeft(const Validity& validity, std::int64_t now) {
  const std::int64_t left = validity.to - now;
  return left >= 0 ? left / kDay : -((kDay - 1 - left) / kDay);
}

std::string ExpiryWarning(const Validity& validity, std::int64_t now) {
  switch (FreshnessOf(validity, now)) {
    case Freshness::kNotYet:
      return "is not valid before " + UtcText(validity.from);
    case Freshness::kEnding:
      return format("expires {}, on {}", InDays(DaysLeft(validity, now)), UtcText(validity.to));
    case Freshness::kEnded:
      return "expired on " + UtcText(validity.to);
    case Freshness::kFresh:
      break;
  }
  return "";
}

}  // namespace fx
