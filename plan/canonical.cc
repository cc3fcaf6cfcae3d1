#include "plan/canonical.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_map>

#include "core/base/digest.h"
#include "core/base/format.h"
#include "plan/canonical_scalar.h"

namespace fx {
namespace {

enum class KeyOrder { kText, kNumber, kNothing };

KeyOrder OrderOf(const YamlValue& key) {
  if (key.is_null()) return KeyOrder::kNothing;
  return key.is_string() ? KeyOrder::kText : KeyOrder::kNumber;
}

long double NumberOf(const YamlScalar& s) {
  if (s.kind == YamlKind::kBool) return s.boolean ? 1 : 0;
  return s.kind == YamlKind::kInteger ? static_cast<long double>(s.integer) : s.real;
}

// Sorted as Python sorts keys; in the order of the dict if it cannot compare two of them.
std::vector<YamlEntry> SortedEntries(const YamlValue& mapping) {
  std::vector<YamlEntry> entries = mapping.entries;
  if (entries.empty()) return entries;
  const KeyOrder order = OrderOf(*entries[0].key);
  for (const YamlEntry& e : entries) {
    if (OrderOf(*e.key) != order || order == KeyOrder::kNothing) return entries;
  }
  // Bytes of UTF-8 compare like the code points that Python compares.
  std::ranges::stable_sort(entries, [&](const YamlEntry& a, const YamlEntry& b) {
    const YamlScalar& x = a.key->scalar;
    const YamlScalar& y = b.key->scalar;
    return order == KeyOrder::kText ? x.text < y.text : NumberOf(x) < NumberOf(y);
  });
  return entries;
}

// PyYAML's representation of a scalar, and the tag it counts into the length of a key.
struct Written {
  std::string text;
  std::string_view tag;
  bool plain_allowed = true;  // read back without quotes it would be the same
};

Written Write(const YamlScalar& s) {
  switch (s.kind) {
    case YamlKind::kNull:
      return {"null", "!!null"};
    case YamlKind::kBool:
      return {s.boolean ? "true" : "false", "!!bool"};
    case YamlKind::kInteger:
      return {std::to_string(s.integer), "!!int"};
    case YamlKind::kFloat:
      return {PythonFloat(s.real), "!!float"};
    case YamlKind::kTimestamp:
      return {s.text, "!!timestamp"};
    default:
      return {s.text, "!!str", IsPlainString(s.text)};
  }
}

// Python interns small values; only these have an identity of their own.
bool HasIdentity(const YamlValue& value) {
  return value.is_mapping() || value.is_sequence() || value.kind() == YamlKind::kTimestamp;
}

class Emitter {
 public:
  std::string Emit(const YamlValue& root) {
    NumberAnchors(root);
    const bool bare = EmitNode(root, {.root = true});
    writer_.Indent(0);
    return std::move(writer_).text() + (bare ? "...\n" : "");
  }

 private:
  struct Context {
    bool root = false;
    bool mapping = false;
    bool key = false;
  };

  // Anchors are numbered in the order in which values are met for the second time.
  void NumberAnchors(const YamlValue& value) {
    if (!HasIdentity(value)) return;
    const auto [it, fresh] = anchors_.try_emplace(&value, 0);
    if (!fresh) {
      if (it->second == 0) it->second = ++last_anchor_;
      return;
    }
    for (const YamlRef& item : value.items) NumberAnchors(*item);
    if (!value.is_mapping()) return;
    for (const YamlEntry& entry : SortedEntries(value)) NumberAnchors(*entry.value);
  }

  // True if the document ends in a scalar without quotes, which PyYAML closes with "...".
  bool EmitNode(const YamlValue& value, Context context) {
    if (const auto anchor = anchors_.find(&value);
        anchor != anchors_.end() && anchor->second != 0) {
      const std::string name = format("id{:03}", anchor->second);
      if (written_[&value]) {
        writer_.Indicator("*" + name, true);
        return false;
      }
      written_[&value] = true;
      writer_.Indicator("&" + name, true);
    }
    if (value.is_sequence()) return EmitSequence(value, context);
    if (value.is_mapping()) return EmitMapping(value);
    const Written written = Write(value.scalar);
    const int indent = indent_ ? *indent_ + 2 : 2;
    return writer_.Scalar(written.text, written.plain_allowed, context.key, indent) && context.root;
  }

  bool EmitSequence(const YamlValue& value, Context context) {
    if (value.items.empty()) {
      writer_.Indicator("[", true, true);
      writer_.Indicator("]", false);
      return false;
    }
    const std::optional<int> outer = indent_;
    const bool indentless = context.mapping && !writer_.only_indented();
    if (!indentless || !indent_) indent_ = indent_ ? *indent_ + 2 : 0;
    for (const YamlRef& item : value.items) {
      writer_.Indent(*indent_);
      writer_.Indicator("-", true, false, true);
      EmitNode(*item, {});
    }
    indent_ = outer;
    return false;
  }

  bool EmitMapping(const YamlValue& value) {
    if (value.entries.empty()) {
      writer_.Indicator("{", true, true);
      writer_.Indicator("}", false);
      return false;
    }
    const std::optional<int> outer = indent_;
    indent_ = indent_ ? *indent_ + 2 : 0;
    for (const YamlEntry& entry : SortedEntries(value)) EmitEntry(entry);
    indent_ = outer;
    return false;
  }

  void EmitEntry(const YamlEntry& entry) {
    writer_.Indent(*indent_);
    const Written key = Write(entry.key->scalar);
    if (IsSimpleKey(key.text, key.tag.size())) {
      EmitNode(*entry.key, {.mapping = true, .key = true});
      writer_.Indicator(":", false);
    } else {
      writer_.Indicator("?", true, false, true);
      EmitNode(*entry.key, {.mapping = true});
      writer_.Indent(*indent_);
      writer_.Indicator(":", true, false, true);
    }
    EmitNode(*entry.value, {.mapping = true});
  }

  LineWriter writer_;
  std::optional<int> indent_;  // of the innermost block; none above the document
  std::unordered_map<const YamlValue*, int> anchors_;  // 0: met once
  std::unordered_map<const YamlValue*, bool> written_;
  int last_anchor_ = 0;
};

std::uint32_t FirstEightDigits(std::string_view digest) {
  std::uint32_t value = 0;
  const std::string_view digits = digest.substr(0, 8);
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

}  // namespace

std::string CanonicalYaml(const YamlValue& value) {
  return Emitter().Emit(value);
}

std::string CanonicalScalar(std::string_view text) {
  LineWriter writer;
  writer.Scalar(text, IsPlainString(text), false, 2);
  return std::move(writer).text();
}

std::string PlanDigest(const YamlValue& merged_plan) {
  return Sha384Hex(CanonicalYaml(merged_plan));
}

std::string FederationUuid(std::string_view plan_file_name, std::string_view digest) {
  return format("{}_{}", plan_file_name, digest.substr(0, 8));
}

std::string AggregatorUuid(std::string_view federation_uuid) {
  return format("aggregator_{}", federation_uuid);
}

std::uint16_t AutomaticPort(std::string_view digest) {
  constexpr std::uint32_t kFirstPort = 49152;
  constexpr std::uint32_t kPorts = 11847;
  return static_cast<std::uint16_t>(kFirstPort + FirstEightDigits(digest) % kPorts);
}

}  // namespace fx
