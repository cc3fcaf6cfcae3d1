#include "plan/mapping_reader.h"

#include <algorithm>
#include <cmath>

#include "core/base/format.h"
#include "core/base/nearest.h"
#include "plan/canonical.h"

namespace fx {
namespace {

// Why a value of another kind stands here, in the cases YAML makes people stumble over.
std::string Explain(const YamlValue& value, bool number_wanted, bool text_wanted) {
  const std::string& source = value.source;
  if (number_wanted && value.is_string()) {
    if (value.quoted && ResolvePlain(source) && !IsPlainString(source))
      return " (remove the quotes)";
    const std::size_t e = source.find_first_of("eE");
    const bool exponent = e != std::string::npos && e > 0 &&
                          source.find_first_not_of("0123456789.+-eE_") == std::string::npos;
    if (!exponent) return "";
    const bool has_sign = e + 1 < source.size() && (source[e + 1] == '-' || source[e + 1] == '+');
    const bool has_point = source.find('.') != std::string::npos;
    const std::string better = source.substr(0, e) + (has_point ? "" : ".0") + "e" +
                               (has_sign ? "" : "+") + source.substr(e + 1);
    return format(" (YAML reads {} as text: write {})", source, better);
  }
  const bool scalar = !value.is_mapping() && !value.is_sequence() && !value.is_null();
  if (text_wanted && scalar) return format(" (if it is meant as text, write \"{}\")", source);
  return "";
}

std::string JoinPath(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : format("{}.{}", path, key);
}

// Shortest text of a bound: 0, 0.5, 1e-08.
std::string Bound(double value) {
  return format("{}", value);
}

std::string RangeText(double low, double high, MappingReader::Open open) {
  if (std::isinf(high)) {
    return open == MappingReader::Open::kLow ? format("more than {}", Bound(low))
                                             : format("{} or more", Bound(low));
  }
  if (open == MappingReader::Open::kLow)
    return format("more than {}, at most {}", Bound(low), Bound(high));
  if (open == MappingReader::Open::kHigh)
    return format("at least {}, less than {}", Bound(low), Bound(high));
  return format("{} to {}", Bound(low), Bound(high));
}

bool InRange(double x, double low, double high, MappingReader::Open open) {
  if (open == MappingReader::Open::kLow && !(x > low)) return false;
  if (open == MappingReader::Open::kHigh && !(x < high)) return false;
  return x >= low && x <= high;
}

}  // namespace

NumberRange WholeNumbers(std::int64_t low, std::int64_t high) {
  return {.low = static_cast<double>(low), .high = static_cast<double>(high), .whole = true};
}

NumberRange RealNumbers(double low, double high, MappingReader::Open open) {
  return {.low = low,
          .high = high,
          .above = open == MappingReader::Open::kLow,
          .below = open == MappingReader::Open::kHigh};
}

std::string NameOf(int value, const std::vector<Choice>& choices) {
  const auto found = std::ranges::find(choices, value, &Choice::value);
  return found == choices.end() ? std::string() : std::string(found->name);
}

std::string Suggest(std::string_view word, const std::vector<std::string>& known) {
  if (known.empty()) return "expected nothing here";
  const std::string nearest = NearestName(word, known);
  // Of a short word, two letters are too much to be a slip.
  if (!nearest.empty() && 2 * EditDistance(word, nearest) < word.size()) {
    return format("did you mean {}?", nearest);
  }
  std::vector<std::string> sorted = known;
  std::ranges::sort(sorted);
  std::string list;
  for (const std::string& name : sorted) list += (list.empty() ? "" : ", ") + name;
  return (sorted.size() == 1 ? "expected " : "expected one of ") + list;
}

bool ReadInteger(const YamlValue& value, const std::string& path, std::int64_t low,
                 std::int64_t high, Complaints& complaints, std::int64_t& out) {
  if (value.kind() == YamlKind::kInteger && value.scalar.integer >= low &&
      value.scalar.integer <= high) {
    out = value.scalar.integer;
    return true;
  }
  complaints.Add(value, format("{} is {}, expected a whole number from {} to {}{}", path,
                               Describe(value), low, high, Explain(value, true, false)));
  return false;
}

bool ReadReal(const YamlValue& value, const std::string& path, double low, double high,
              MappingReader::Open open, Complaints& complaints, double& out) {
  const bool integer = value.kind() == YamlKind::kInteger;
  if (integer || value.kind() == YamlKind::kFloat) {
    const double x = integer ? static_cast<double>(value.scalar.integer) : value.scalar.real;
    if (InRange(x, low, high, open)) {
      out = x;
      return true;
    }
  }
  complaints.Add(value, format("{} is {}, expected {}{}", path, Describe(value),
                               RangeText(low, high, open), Explain(value, true, false)));
  return false;
}

bool ReadText(const YamlValue& value, const std::string& path, Complaints& complaints,
              std::string& out) {
  if (value.is_string() && !value.scalar.text.empty()) {
    out = value.scalar.text;
    return true;
  }
  complaints.Add(value, format("{} is {}, expected text{}", path, Describe(value),
                               Explain(value, false, true)));
  return false;
}

MappingReader::MappingReader(YamlRef value, std::string path, Complaints& complaints,
                             IfNothing if_nothing)
    : value_(std::move(value)), path_(std::move(path)), complaints_(complaints) {
  if (value_->is_mapping()) return;
  forgive_ = !value_->is_null() || if_nothing == IfNothing::kForgive;
  if (value_->is_null()) return;
  complaints_.Add(*value_, format("{} is {}, expected a mapping (lines of `key: value`)",
                                  path_.empty() ? "the document" : path_, Describe(*value_)));
}

std::string MappingReader::PathOf(std::string_view key) const {
  return JoinPath(path_, key);
}

YamlRef MappingReader::Get(std::string_view key) {
  known_.emplace_back(key);
  Note(key, {});
  return value_->Find(key);
}

bool MappingReader::Has(std::string_view key) {
  return Get(key) != nullptr;
}

YamlRef MappingReader::Require(std::string_view key, std::string_view what) {
  YamlRef found = Get(key);
  Note(key, {.needed = true});
  if (!found && !forgive_) {
    complaints_.Add(*value_, format("{} is missing, expected {}", PathOf(key), what));
  }
  return found;
}

void MappingReader::Bool(std::string_view key, bool& value) {
  const YamlRef found = Get(key);
  Note(key, {.kind = "true, false"});
  if (!found) return Assume(key, value ? "true" : "false");
  if (found->kind() == YamlKind::kBool) {
    value = found->scalar.boolean;
    return;
  }
  const bool quoted = found->is_string() && found->quoted && !IsPlainString(found->source);
  Complain(key, format("is {}, expected true or false{}", Describe(*found),
                       quoted ? " (remove the quotes)" : ""));
}

void MappingReader::Integer(std::string_view key, std::int64_t& value, std::int64_t low,
                            std::int64_t high) {
  Note(key, {.numbers = WholeNumbers(low, high)});
  if (const YamlRef found = Get(key)) {
    ReadInteger(*found, PathOf(key), low, high, complaints_, value);
  } else if (value >= low && value <= high) {
    Assume(key, std::to_string(value));
  }
}

void MappingReader::Integer(std::string_view key, std::uint32_t& value, std::int64_t low,
                            std::int64_t high) {
  std::int64_t wide = value;
  Integer(key, wide, low, high);
  value = static_cast<std::uint32_t>(wide);
}

void MappingReader::Real(std::string_view key, double& value, double low, double high, Open open) {
  Note(key, {.numbers = RealNumbers(low, high, open)});
  if (const YamlRef found = Get(key)) {
    ReadReal(*found, PathOf(key), low, high, open, complaints_, value);
  } else if (InRange(value, low, high, open)) {
    Assume(key, PythonFloat(value));
  }
}

void MappingReader::Text(std::string_view key, std::string& value) {
  Note(key, {.kind = "text"});
  if (const YamlRef found = Get(key)) {
    ReadText(*found, PathOf(key), complaints_, value);
  } else if (!value.empty()) {
    Assume(key, CanonicalScalar(value));
  }
}

void MappingReader::Pick(std::string_view key, const std::vector<Choice>& choices, int& value) {
  const YamlRef found = Get(key);
  Note(key, {.words = &choices});
  if (!found) return Assume(key, NameOf(value, choices));
  std::vector<std::string> names;
  for (const Choice& choice : choices) {
    names.emplace_back(choice.name);
    if (!found->is_string() || found->scalar.text != choice.name) continue;
    value = choice.value;
    return;
  }
  Complain(key, format("is {}, {}", Describe(*found),
                       Suggest(found->is_string() ? found->scalar.text : "", names)));
}

void MappingReader::InsidePath(std::string_view key, Path& value) {
  std::string text = value.string();
  Text(key, text);
  Note(key, {.kind = "path"});
  if (text.empty() || value == text) return;
  const Path path(text);
  const bool inside = path.is_relative() && text.find('\0') == std::string::npos &&
                      std::ranges::find(path, "..") == path.end();
  if (inside) {
    value = path;
  } else {
    Complain(key, format("is \"{}\", expected a path inside the workspace, such as save/model.pbuf",
                         text));
  }
}

void MappingReader::Texts(std::string_view key, std::vector<std::string>& values) {
  const YamlRef found = Get(key);
  Note(key, {.kind = "list of texts"});
  if (!found) return;
  if (!found->is_sequence()) {
    Complain(key, format("is {}, expected a list: [a, b]", Describe(*found)));
    return;
  }
  values.clear();
  for (std::size_t i = 0; i < found->items.size(); ++i) {
    std::string text;
    if (ReadText(*found->items[i], format("{}[{}]", PathOf(key), i), complaints_, text)) {
      values.push_back(std::move(text));
    }
  }
}

void MappingReader::Assume(std::string_view key, std::string value) {
  if (!value.empty()) complaints_.Assume(PathOf(key), std::move(value));
}

void MappingReader::Note(std::string_view key, const KeyFact& fact) {
  if (KeyObserver* observer = complaints_.observer()) observer->Note(PathOf(key), fact);
}

void MappingReader::Complain(std::string_view key, std::string_view text) {
  const YamlRef found = value_->Find(key);
  complaints_.Add(found ? *found : *value_, format("{} {}", PathOf(key), text));
}

void MappingReader::Finish() {
  std::ranges::sort(known_);
  const auto repeated = std::ranges::unique(known_);
  known_.erase(repeated.begin(), repeated.end());
  for (const YamlEntry& entry : value_->entries) {
    const std::string& key = KeyText(*entry.key);
    if (entry.key->is_string() && std::ranges::binary_search(known_, key)) continue;
    complaints_.Add(*entry.key, format("{} is unknown, {}", PathOf(key), Suggest(key, known_)));
  }
}

}  // namespace fx
