// When to begin to worry about a date: the one threshold of logs, `fx status` and `fx pki`.
#pragma once

#include <cstdint>
#include <string>

#include "pki/certificate.h"

namespace fx {

// Getting a new certificate takes letters and telephone calls between sites.
inline constexpr std::int64_t kWarnDays = 30;

std::int64_t UnixNow();

enum class Freshness { kNotYet, kFresh, kEnding, kEnded };
Freshness FreshnessOf(const Validity& validity, std::int64_t now);

// Whole days from `now` to the end, rounded down; negative once it has passed.
std::int64_t DaysLeft(const Validity& validity, std::int64_t now);

// "expires in 12 days, on 2026-11-21 10:44 UTC", "expired on ..." or "is not valid before ..."; ""
// while there is nothing to worry about.
std::string ExpiryWarning(const Validity& validity, std::int64_t now);

}  // namespace fx
