// A YAML document as a tree of ours that remembers where everything stood. The parser behind it is
// yaml-cpp; the meaning of words is PyYAML's (plan/yaml_scalar.h).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "plan/yaml_scalar.h"

namespace fx {

class Complaints;
struct YamlValue;

// Two references to one value are an anchor and its alias: identity matters to the canonical text.
using YamlRef = std::shared_ptr<const YamlValue>;

struct YamlEntry {
  YamlRef key;  // a null, bool, integer, float or string
  YamlRef value;
};

// One value; immutable once parsed. Which fields mean something depends on scalar.kind.
struct YamlValue {
  YamlScalar scalar;
  std::string source;              // scalars: as written, without quotes
  bool quoted = false;             // scalars: written in quotes or as a block
  std::vector<YamlRef> items;      // kSequence
  std::vector<YamlEntry> entries;  // kMapping, in the order of a Python dict: merged keys first

  std::shared_ptr<const std::string> file;  // as the caller named it
  int line = 0;                             // from 1
  std::size_t offset = 0;                   // of its first byte in the text

  YamlKind kind() const { return scalar.kind; }
  bool is_null() const { return kind() == YamlKind::kNull; }
  bool is_mapping() const { return kind() == YamlKind::kMapping; }
  bool is_sequence() const { return kind() == YamlKind::kSequence; }
  bool is_string() const { return kind() == YamlKind::kString; }

  // The value of a text key of a mapping; null reference if there is none.
  YamlRef Find(std::string_view key) const;
};

// Bounds on a document; beyond them it is refused. kMaxYamlValues counts values with every alias
// written out, which is what a document of nested aliases (an alias bomb) multiplies; a long text
// counts as one more value for every kYamlValueBytes of it.
inline constexpr std::size_t kMaxYamlBytes = 1U << 20;
inline constexpr std::size_t kMaxYamlDepth = 64;
inline constexpr std::size_t kMaxYamlValues = 100'000;
inline constexpr std::size_t kYamlValueBytes = 64;

// Parses one document. Null reference if there is nothing to go on with; otherwise the tree,
// perhaps with complaints about details (duplicate keys, impossible numbers) that the caller may
// join with its own. An empty document is a null value. `file` is what complaints call the text.
YamlRef ParseYaml(std::string_view text, const std::string& file, Complaints& complaints);

// The same for callers that want no list.
Result<YamlRef> ParseYaml(std::string_view text, const std::string& file);

// The value of `section`.settings.`key` of a plan; null reference if there is none.
YamlRef FindSetting(const YamlValue& plan, std::string_view section, std::string_view key);

// How a complaint quotes a value: 1.4, "text", true, a list, a mapping, nothing.
std::string Describe(const YamlValue& value);

// A key as text: how it was written.
const std::string& KeyText(const YamlValue& key);

}  // namespace fx
