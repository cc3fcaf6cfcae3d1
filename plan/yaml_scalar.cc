#include "plan/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "core/base/format.h"

namespace fx {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kDigitsAndUnderscore = "0123456789_";

// Reads a text from the left; every step says whether it fit.
class Scan {
 public:
  explicit Scan(std::string_view text) : rest_(text) {}

  bool One(std::string_view set) {
    if (rest_.empty() || set.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view Many(std::string_view set) {
    const std::string_view found =
        rest_.substr(0, std::min(rest_.find_first_not_of(set), rest_.size()));
    rest_.remove_prefix(found.size());
    return found;
  }
  // Between `low` and `high` digits, as many as there are.
  std::string_view Digits(std::size_t low, std::size_t high) {
    const std::string_view found = rest_.substr(0, high).substr(
        0, std::min(rest_.substr(0, high).find_first_not_of(kDigits), rest_.size()));
    if (found.size() < low) return {};
    rest_.remove_prefix(found.size());
    return found;
  }
  bool Word(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

bool IsNull(std::string_view s) {
  return IsOneOf(s, {"", "~", "null", "Null", "NULL"});
}
bool IsTrue(std::string_view s) {
  return IsOneOf(s, {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"});
}
bool IsFalse(std::string_view s) {
  return IsOneOf(s, {"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"});
}

// One or more ":" and a number from 0 to 59: the tail of a sexagesimal.
bool SixtiesTail(Scan& scan) {
  bool any = false;
  while (scan.Word(":")) {
    const std::string_view digits = scan.Digits(1, 2);
    if (digits.empty() || (digits.size() == 2 && digits[0] > '5')) return false;
    any = true;
  }
  return any;
}

bool IsInteger(std::string_view s) {
  Scan scan(s);
  scan.One("+-");
  Scan binary = scan;
  Scan octal = scan;
  Scan hex = scan;
  Scan decimal = scan;
  if (binary.Word("0b") && !binary.Many("01_").empty() && binary.done()) return true;
  if (hex.Word("0x") && !hex.Many("0123456789abcdefABCDEF_").empty() && hex.done()) return true;
  if (octal.Word("0")) return (octal.Many("01234567_"), octal.done());
  if (!decimal.One("123456789")) return false;
  decimal.Many(kDigitsAndUnderscore);
  return decimal.done() || (SixtiesTail(decimal) && decimal.done());
}

bool ExponentOrEnd(Scan scan) {
  if (scan.done()) return true;
  return scan.One("eE") && scan.One("+-") && !scan.Many(kDigits).empty() && scan.done();
}

bool IsFloat(std::string_view s) {
  if (IsOneOf(s, {".nan", ".NaN", ".NAN"})) return true;
  Scan bare(s);
  if (bare.Word(".") && bare.One(kDigits))
    return (bare.Many(kDigitsAndUnderscore), ExponentOrEnd(bare));
  Scan scan(s);
  scan.One("+-");
  Scan infinite = scan;
  if (infinite.Word(".inf") || infinite.Word(".Inf") || infinite.Word(".INF"))
    return infinite.done();
  if (!scan.One(kDigits)) return false;
  scan.Many(kDigitsAndUnderscore);
  Scan sixties = scan;
  if (SixtiesTail(sixties))
    return sixties.Word(".") && (sixties.Many(kDigitsAndUnderscore), sixties.done());
  return scan.Word(".") && (scan.Many(kDigitsAndUnderscore), ExponentOrEnd(scan));
}

// What Python's float() takes for a decimal number, with or without a point.
bool IsDecimal(std::string_view s) {
  Scan scan(s);
  scan.One("+-");
  const bool whole = !scan.Many(kDigits).empty();
  const bool part = scan.Word(".") && !scan.Many(kDigits).empty();
  if (scan.One("eE")) {
    scan.One("+-");
    if (scan.Many(kDigits).empty()) return false;
  }
  return (whole || part) && scan.done();
}

// The parts of a timestamp, as text; empty where there is nothing.
struct TimeParts {
  std::string_view year, month, day, hour, minute, second, fraction;
  bool has_zone = false;
  std::string_view zone_sign, zone_hour, zone_minute;
};

bool ZoneOrEnd(Scan& scan, std::string_view source, TimeParts& parts) {
  scan.Many(" \t");
  if (scan.done()) return source.find_last_of(" \t") != source.size() - 1;
  parts.has_zone = true;
  if (scan.Word("Z")) return scan.done();
  if (scan.Word("+"))
    parts.zone_sign = "+";
  else if (scan.Word("-"))
    parts.zone_sign = "-";
  else
    return false;
  parts.zone_hour = scan.Digits(1, 2);
  if (parts.zone_hour.empty()) return false;
  if (scan.Word(":")) {
    parts.zone_minute = scan.Digits(2, 2);
    if (parts.zone_minute.empty()) return false;
  }
  return scan.done();
}

std::optional<TimeParts> SplitTimestamp(std::string_view s) {
  TimeParts parts;
  Scan scan(s);
  parts.year = scan.Digits(4, 4);
  if (parts.year.empty() || !scan.Word("-")) return std::nullopt;
  parts.month = scan.Digits(1, 2);
  if (parts.month.empty() || !scan.Word("-")) return std::nullopt;
  parts.day = scan.Digits(1, 2);
  if (parts.day.empty()) return std::nullopt;
  if (scan.done()) {
    if (parts.month.size() != 2 || parts.day.size() != 2) return std::nullopt;
    return parts;
  }
  if (!scan.One("Tt") && scan.Many(" \t").empty()) return std::nullopt;
  parts.hour = scan.Digits(1, 2);
  if (parts.hour.empty() || !scan.Word(":")) return std::nullopt;
  parts.minute = scan.Digits(2, 2);
  if (parts.minute.empty() || !scan.Word(":")) return std::nullopt;
  parts.second = scan.Digits(2, 2);
  if (parts.second.empty()) return std::nullopt;
  if (scan.Word(".")) parts.fraction = scan.Many(kDigits);
  if (!ZoneOrEnd(scan, s, parts)) return std::nullopt;
  return parts;
}

int ToInt(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

// As Python's isoformat(" ") prints it.
Result<YamlScalar> MakeTimestamp(const TimeParts& p, std::string_view source) {
  const std::chrono::year_month_day date{std::chrono::year{ToInt(p.year)},
                                         std::chrono::month{static_cast<unsigned>(ToInt(p.month))},
                                         std::chrono::day{static_cast<unsigned>(ToInt(p.day))}};
  if (!date.ok() || ToInt(p.year) == 0 || ToInt(p.hour) > 23 || ToInt(p.minute) > 59 ||
      ToInt(p.second) > 59 || ToInt(p.zone_hour) * 60 + ToInt(p.zone_minute) >= 24 * 60) {
    return Fail(
        ErrorCode::kInvalidArgument,
        format("{} looks like a date but is none; if it is text, put it in quotes", source));
  }
  YamlScalar scalar{.kind = YamlKind::kTimestamp};
  scalar.text = format("{}-{:02}-{:02}", p.year, ToInt(p.month), ToInt(p.day));
  if (p.hour.empty()) return scalar;
  scalar.text += format(" {:02}:{}:{}", ToInt(p.hour), p.minute, p.second);
  std::string micros(p.fraction.substr(0, 6));
  micros.resize(6, '0');
  if (micros != "000000") scalar.text += "." + micros;
  if (p.has_zone) {
    const int minutes = ToInt(p.zone_hour) * 60 + ToInt(p.zone_minute);
    const std::string_view sign = p.zone_sign == "-" && minutes != 0 ? "-" : "+";
    scalar.text += format("{}{:02}:{:02}", sign, minutes / 60, minutes % 60);
  }
  return scalar;
}

std::string WithoutUnderscores(std::string_view s) {
  std::string text(s);
  std::erase(text, '_');
  return text;
}

// `digits` in `base` as a 64-bit integer with `sign`; none if it does not fit or has no digits.
std::optional<std::int64_t> ParseInteger(std::string_view sign, std::string_view digits, int base) {
  const std::string text = (sign == "-" ? "-" : "") + std::string(digits);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> ParseSixties(std::string_view sign, std::string_view text) {
  std::int64_t value = 0;
  while (true) {
    const std::size_t colon = text.find(':');
    const auto part = ParseInteger("", text.substr(0, colon), 10);
    if (!part || __builtin_mul_overflow(value, 60, &value) ||
        __builtin_add_overflow(value, *part, &value)) {
      return std::nullopt;
    }
    if (colon == std::string_view::npos) return sign == "-" ? -value : value;
    text.remove_prefix(colon + 1);
  }
}

Result<YamlScalar> MakeInteger(std::string_view source) {
  const std::string text = WithoutUnderscores(source);
  std::string_view digits = text;
  const std::string_view sign = digits.substr(0, digits.find_first_of("0123456789"));
  digits.remove_prefix(sign.size());
  std::optional<std::int64_t> value;
  if (digits.starts_with("0b"))
    value = ParseInteger(sign, digits.substr(2), 2);
  else if (digits.starts_with("0x"))
    value = ParseInteger(sign, digits.substr(2), 16);
  else if (digits.starts_with("0"))
    value = ParseInteger(sign, digits, 8);
  else if (digits.find(':') != std::string_view::npos)
    value = ParseSixties(sign, digits);
  else
    value = ParseInteger(sign, digits, 10);
  if (!value) {
    return Fail(
        ErrorCode::kOutOfRange,
        format("{} is not a whole number of 64 bits; if it is text, put it in quotes", source));
  }
  return YamlScalar{.kind = YamlKind::kInteger, .integer = *value};
}

double ParseDouble(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc::result_out_of_range) return value;
  const bool tiny = text.find("e-") != std::string_view::npos;
  return tiny ? 0 : std::numeric_limits<double>::infinity();
}

// Python adds the parts from the right: seconds first.
double ParseSixtiesFloat(std::string_view text) {
  double value = 0;
  double base = 1;
  while (true) {
    const std::size_t colon = text.rfind(':');
    value += ParseDouble(text.substr(colon == std::string_view::npos ? 0 : colon + 1)) * base;
    base *= 60;
    if (colon == std::string_view::npos) return value;
    text = text.substr(0, colon);
  }
}

YamlScalar MakeFloat(std::string_view source) {
  std::string text = WithoutUnderscores(source);
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  std::string_view rest = text;
  const bool negative = rest.starts_with("-");
  if (rest.starts_with("-") || rest.starts_with("+")) rest.remove_prefix(1);
  double value = 0;
  if (rest == ".inf")
    value = std::numeric_limits<double>::infinity();
  else if (rest == ".nan")
    value = std::numeric_limits<double>::quiet_NaN();
  else if (rest.find(':') != std::string_view::npos)
    value = ParseSixtiesFloat(rest);
  else
    value = ParseDouble(rest);
  return {.kind = YamlKind::kFloat, .real = negative ? -value : value};
}

// The words with a meaning that no value can have: merge, default value.
bool IsReservedWord(std::string_view s) {
  return IsOneOf(s, {"<<", "=", "!", "&", "*"});
}

}  // namespace

Result<YamlScalar> ResolvePlain(std::string_view source) {
  if (IsNull(source)) return YamlScalar{};
  if (IsTrue(source)) return YamlScalar{.kind = YamlKind::kBool, .boolean = true};
  if (IsFalse(source)) return YamlScalar{.kind = YamlKind::kBool, .boolean = false};
  if (IsFloat(source)) return MakeFloat(source);
  if (IsInteger(source)) return MakeInteger(source);
  if (const auto parts = SplitTimestamp(source)) return MakeTimestamp(*parts, source);
  if (IsReservedWord(source)) {
    return Fail(
        ErrorCode::kInvalidArgument,
        format("{} has a meaning of its own in YAML; if it is text, put it in quotes", source));
  }
  return YamlScalar{.kind = YamlKind::kString, .text = std::string(source)};
}

Result<YamlScalar> ResolveTagged(std::string_view type, std::string_view source) {
  if (type == "str") return YamlScalar{.kind = YamlKind::kString, .text = std::string(source)};
  if (type == "null") return YamlScalar{};
  if (type == "float" && (IsFloat(source) || IsDecimal(source))) return MakeFloat(source);
  const bool fits = (type == "int" && IsInteger(source)) ||
                    (type == "bool" && (IsTrue(source) || IsFalse(source))) ||
                    (type == "timestamp" && SplitTimestamp(source));
  if (fits) return ResolvePlain(source);
  return Fail(ErrorCode::kInvalidArgument,
              format("the tag !!{} does not fit; write the value without it", type));
}

bool IsPlainString(std::string_view text) {
  return !IsNull(text) && !IsTrue(text) && !IsFalse(text) && !IsFloat(text) && !IsInteger(text) &&
         !SplitTimestamp(text) && !IsReservedWord(text);
}

std::string PythonFloat(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  std::array<char, 64> buffer{};
  const auto scientific = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                        std::chars_format::scientific);
  const std::string text(buffer.data(), scientific.ptr);
  const std::size_t e = text.find('e');
  const int exponent = std::stoi(text.substr(e + 1));
  if (exponent < -4 || exponent >= 16) {
    const std::string mantissa = text.substr(0, e);
    const bool has_point = mantissa.find('.') != std::string::npos;
    return mantissa + (has_point ? "" : ".0") + text.substr(e);
  }
  const auto fixed =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  const std::string plain(buffer.data(), fixed.ptr);
  return plain.find('.') == std::string::npos ? plain + ".0" : plain;
}

}  // namespace fx
