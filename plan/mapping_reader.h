// Reads a mapping of a plan key by key. Every key asked for becomes a known one; what is left at
// the end is a typo, and is answered with the nearest known name. Nothing stops at the first
// complaint.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.h"
#include "plan/complaints.h"
#include "plan/key_fact.h"
#include "plan/yaml_value.h"

namespace fx {

// A value that is absent leaves the variable as it is: its initial value is the default. So does a
// value that is wrong, after a complaint. Lives no longer than `complaints`.
class MappingReader {
 public:
  // `path` names the mapping in complaints: "aggregator.settings"; "" for the document. A value
  // that is no mapping is complained about and read as empty. Nothing (null) is read as empty, too:
  // with kForgive because it has been complained about, and Require need not add to that.
  enum class IfNothing { kEmpty, kForgive };
  MappingReader(YamlRef value, std::string path, Complaints& complaints,
                IfNothing if_nothing = IfNothing::kEmpty);

  // The value, or a null reference if the key is absent.
  YamlRef Get(std::string_view key);
  bool Has(std::string_view key);
  // The same, with a complaint if the key is absent: "... is missing, expected <what>".
  YamlRef Require(std::string_view key, std::string_view what);

  void Bool(std::string_view key, bool& value);
  void Integer(std::string_view key, std::int64_t& value, std::int64_t low, std::int64_t high);
  void Integer(std::string_view key, std::uint32_t& value, std::int64_t low, std::int64_t high);
  // A number from `low` to `high`; `open` leaves one end out, e.g. kHigh: [low, high).
  enum class Open { kNone, kLow, kHigh };
  void Real(std::string_view key, double& value, double low, double high, Open open = Open::kNone);
  // Text that is not empty.
  void Text(std::string_view key, std::string& value);
  // One of the words of `choices`.
  void Pick(std::string_view key, const std::vector<Choice>& choices, int& value);
  // A path inside the workspace: relative, no "..".
  void InsidePath(std::string_view key, Path& value);
  // A list of texts.
  void Texts(std::string_view key, std::vector<std::string>& values);

  // Adds a complaint about the key's value, or about the mapping if it is absent: "path.key
  // <text>".
  void Complain(std::string_view key, std::string_view text);

  // Notes what is used for a key that is absent, as YAML; nothing if that is empty. The readings
  // above do it by themselves.
  void Assume(std::string_view key, std::string value);

  // Tells the observer of `complaints`, if there is one, what may stand at the key. The readings
  // above do it by themselves.
  void Note(std::string_view key, const KeyFact& fact);

  // Complains about every key never asked for. Call last.
  void Finish();

  std::string PathOf(std::string_view key) const;
  const YamlValue& value() const { return *value_; }

 private:
  YamlRef value_;
  std::string path_;
  Complaints& complaints_;
  bool forgive_ = false;
  std::vector<std::string> known_;
};

// The same readings for a value that stands in a list; `path` names it. False after a complaint.
bool ReadInteger(const YamlValue& value, const std::string& path, std::int64_t low,
                 std::int64_t high, Complaints& complaints, std::int64_t& out);
bool ReadReal(const YamlValue& value, const std::string& path, double low, double high,
              MappingReader::Open open, Complaints& complaints, double& out);
bool ReadText(const YamlValue& value, const std::string& path, Complaints& complaints,
              std::string& out);

// Ranges as the observer is told of them.
NumberRange WholeNumbers(std::int64_t low, std::int64_t high);
NumberRange RealNumbers(double low, double high, MappingReader::Open open);

// The first word for a value; "" if there is none.
std::string NameOf(int value, const std::vector<Choice>& choices);

// "did you mean x?" if a known name is near, else "expected one of a, b, c" or, of no names,
// "expected nothing here".
std::string Suggest(std::string_view word, const std::vector<std::string>& known);

}  // namespace fx
