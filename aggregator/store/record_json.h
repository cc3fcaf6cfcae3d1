// Records as the journal's JSON payloads. docs/internals/journal-format.md shows each of them.
#pragma once

#include <string>
#include <string_view>

#include "aggregator/engine/record.h"
#include "core/base/error.h"

namespace fx::aggregator {

// The version written into every payload as "v". Older ones are always read.
inline constexpr int kPayloadVersion = 2;

// The record's name, which is its column `type`: "RoundOpened".
std::string_view TypeOf(const Record& record);

// One line. Numbers keep every bit; NaN and infinities are the strings "nan", "inf", "-inf".
std::string ToJson(const Record& record);

// Refuses an unknown type, a newer version, and a payload that lacks something.
Result<Record> FromJson(std::string_view type, std::string_view payload);

}  // namespace fx::aggregator
