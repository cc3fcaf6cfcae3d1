// What YAML 1.1 makes of a word without quotes, as PyYAML's safe_load does, and how Python prints
// numbers. Both are part of a plan's identity: OpenFL hashes what PyYAML writes.
//
// The traps, for the reader of a plan: 1e-4 is text but 1.0e-4 a number; yes, no, on, off are
// booleans; 017 is 15; 1:30 is 90; 2024-01-01 is a date.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace fx {

enum class YamlKind { kNull, kBool, kInteger, kFloat, kString, kTimestamp, kSequence, kMapping };

// A scalar's value. `kind` says which field means something.
struct YamlScalar {
  YamlKind kind = YamlKind::kNull;
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  std::string text =
      {};  // kString: the value; kTimestamp: as Python prints it, "2024-01-01 10:00:00"
};

// The value of a plain (unquoted) scalar. Refused: integers beyond 64 bits, days that do not exist,
// "0x" without digits, and the words `<<` and `=`, which have a meaning of their own in YAML 1.1.
// The error says what is wrong and how to write it; it does not name the place.
Result<YamlScalar> ResolvePlain(std::string_view source);

// The value of a scalar with an explicit type: "str", "int", "float", "bool", "null", "timestamp"
// (of
// !!float). !!float also takes what no plain scalar is: 1, 1e-4. Other types are refused.
Result<YamlScalar> ResolveTagged(std::string_view type, std::string_view source);

// True if the text, written without quotes, would be read back as the same text.
bool IsPlainString(std::string_view text);

// A double as Python's repr writes it (shortest digits that read back, exponent from 1e16 and below
// 1e-4), with PyYAML's ".0" before a bare exponent: 0.0001, 1.0e-10, .inf, -.inf, .nan.
std::string PythonFloat(double value);

}  // namespace fx
