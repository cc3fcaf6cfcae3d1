// docs/reference/plan-keys.md
#include <algorithm>
#include <cmath>

#include "core/base/format.h"
#include "plan/reference/plan_keys.h"
#include "plan/yaml_scalar.h"

namespace fx {
namespace {

using Keys = std::vector<PlanKey>;

constexpr std::string_view kIntroduction =
    "# Keys of a plan\n\n"
    "Made by `fx man --plan` from the code that reads plans; [the plan](plan.md) says how they go "
    "together.\nNAME stands for any task, COLUMN for any column of a table, `layers[]` for each "
    "item of a list. \"Needed\"\nmeans the key must be there. Paths are relative to the workspace "
    "and must stay inside it.\n";

std::string Code(std::string_view text) {
  return format("`{}`", text);
}

std::string Joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

std::string Cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

std::string WithCommas(double whole) {
  std::string digits = format("{:.0f}", std::abs(whole));
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return (whole < 0 ? "-" : "") + digits;
}

std::string Bound(double bound) {
  constexpr double kLargest = 9223372036854775808.0;
  if (bound == kLargest) return "2^63 - 1";
  if (bound == std::floor(bound) && std::abs(bound) <= 1e15) return WithCommas(bound);
  return PythonFloat(bound);
}

std::string RangeText(const NumberRange& range) {
  const std::string low = Bound(range.low);
  if (std::isinf(range.high)) return range.above ? "above " + low : low + " or more";
  return format("{}{} to {}{}", range.above ? "above " : "", low + (range.above ? "," : ""),
                range.below ? "below " : "", Bound(range.high));
}

// All names for one thing: `train`, also `train_task`.
std::string Names(const PlanKey& key, const Choice& word) {
  std::string names = Code(word.name);
  for (const Choice& other : key.words) {
    if (other.value == word.value && other.name != word.name) names += ", also " + Code(other.name);
  }
  return names;
}

// What a value is that has keys of its own; "" if it has none.
std::string Container(const PlanKey& key, const Keys& keys) {
  for (const PlanKey& other : keys) {
    if (other.path.starts_with(key.path + "[].")) return "list";
    if (other.path.starts_with(key.path + ".")) return "mapping";
  }
  return key.path == "SECTION.settings" ? "mapping" : "";
}

std::string Words(const PlanKey& key) {
  std::vector<std::string> words;
  for (const Choice& word : key.decides() ? key.distinct_words() : key.words) {
    words.push_back(Code(word.name));
  }
  return Joined(words);
}

std::string MayBe(const PlanKey& key, const Keys& keys) {
  const std::string container = key.kind == "section" ? "" : Container(key, keys);
  if (key.numbers && key.list) return format("{}, each {}", key.kind, RangeText(*key.numbers));
  if (key.numbers) return RangeText(*key.numbers) + (key.kind.empty() ? "" : ", or " + key.kind);
  if (key.words.empty()) return key.kind.empty() ? container : key.kind;
  return (key.kind.empty() ? "" : key.kind + " ") + Words(key) +
         (container.empty() ? "" : ", or a " + container + " with one as `type`");
}

// The words a key is for; those it is not for, if they are fewer.
std::string Of(const PlanKey& key, const Keys& keys) {
  if (key.always) return "all";
  const auto decider = std::ranges::find(keys, key.decider, &PlanKey::sample_path);
  std::vector<std::string> others;
  for (const Choice& word : decider->distinct_words()) {
    if (std::ranges::find(key.of, word.name) == key.of.end()) others.emplace_back(word.name);
  }
  return others.size() < key.of.size() ? "all but " + Joined(others) : Joined(key.of);
}

std::string Default(const PlanKey& key) {
  if (key.needed) return "needed";
  if (key.kind == "section") return "its defaults";
  return key.fallback.empty() ? key.without : Code(key.fallback);
}

std::string Table(const std::vector<const PlanKey*>& rows, const Keys& keys) {
  const bool some_are_special =
      std::ranges::any_of(rows, [](const PlanKey* k) { return !k->always; });
  std::string text = some_are_special
                         ? "| key | of | default | may be | meaning |\n|---|---|---|---|---|\n"
                         : "| key | default | may be | meaning |\n|---|---|---|---|\n";
  for (const PlanKey* key : rows) {
    text += "| " + Code(key->name()) + " | ";
    if (some_are_special) text += Of(*key, keys) + " | ";
    text += format("{} | {} | {} |\n", Default(*key), Cell(MayBe(*key, keys)), Cell(key->meaning));
  }
  return text;
}

// Whether some words of `decider` go without the key, and it stands in no mapping that they go
// without.
bool IsOwn(const PlanKey& key, const PlanKey& decider, const Keys& keys) {
  if (key.always || key.decider != decider.sample_path) return false;
  std::size_t words = 0;
  for (const PlanKey& other : keys) {
    if (other.path == key.parent() && !other.always) return false;
    if (other.path == key.path) words += other.of.size();
  }
  return words < decider.distinct_words().size();
}

std::string KeysOf(std::string_view word, const PlanKey& decider, const Keys& keys) {
  std::vector<std::string> own;
  for (const PlanKey& key : keys) {
    if (!IsOwn(key, decider, keys)) continue;
    if (std::ranges::find(key.of, word) != key.of.end()) own.push_back(Code(key.name()));
  }
  return Joined(own);
}

std::string WordsTable(const PlanKey& decider, const Keys& keys) {
  std::string text =
      format("\n| {} | meaning | keys of its own |\n|---|---|---|\n", Code(decider.name()));
  for (const Choice& word : decider.distinct_words()) {
    text += format("| {} | {} | {} |\n", Names(decider, word), Cell(std::string(word.meaning)),
                   KeysOf(word.name, decider, keys));
  }
  return text;
}

std::string Part(const std::string& parent, const Keys& keys) {
  std::vector<const PlanKey*> rows;
  for (const PlanKey& key : keys) {
    if (key.parent() == parent) rows.push_back(&key);
  }
  const bool section = parent.find('.') == std::string::npos;
  std::string text = format("\n{} {}\n\n{}", section ? "##" : "###",
                            parent.empty() ? "Sections" : parent, Table(rows, keys));
  for (const PlanKey* key : rows) {
    if (key->decides()) text += WordsTable(*key, keys);
  }
  return text;
}

}  // namespace

std::string PlanKeysPage() {
  const Keys keys = PlanKeys();
  std::vector<std::string> sections = {"SECTION"};
  std::vector<std::string> parents;
  for (const PlanKey& key : keys) {
    if (key.parent().empty()) sections.push_back(key.path);
    if (std::ranges::find(parents, key.parent()) == parents.end()) parents.push_back(key.parent());
  }
  std::string text(kIntroduction);
  text += Part("", keys);
  for (const std::string& section : sections) {
    for (const std::string& parent : parents) {
      if (parent.substr(0, parent.find('.')) == section) text += Part(parent, keys);
    }
  }
  return text;
}

}  // namespace fx
