// docs/reference/plan-keys.md
#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/format.h"
#include "plan/reference/plan_keys.h"

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
  return format("{}", bound);
}

std::string RangeText(const NumberRange& range) {
  const std::string low = Bound(range.low);
  if (std::isinf(range.high)) return range.above ? "above " + low : low + " or more";
  return format("{}{} to {}{}", range.above ? "above " : "", low, range.below ? "below " : "",
                Bound(range.high));
}

// All names for one thing: `train`, also `train_task`.
std::string Names(const PlanKey& key, const Choice& word) {
  std::string names = Code(word.name);
  for (const Choice& other : key.words) {
    if (other.value == word.value && other.name != word.name) names += ", also " + Code(other.name);
  }
  return names;
}

std::string MayBe(const PlanKey& key) {
  if (key.numbers && key.list) return format("{}, each {}", key.kind, RangeText(*key.numbers));
  std::vector<std::string> choices;
  if (key.numbers) choices.push_back(RangeText(*key.numbers));
  for (const Choice& word : key.words) choices.push_back(Code(word.name));
  if (key.numbers && !key.kind.empty()) choices.push_back(key.kind);
  return key.words.empty() && !key.numbers ? key.kind
         : key.words.empty()               ? Joined(choices)
         : key.kind.empty()                ? Joined(choices)
                                           : key.kind + " " + Joined(choices);
}

std::string Default(const PlanKey& key) {
  if (key.needed) return "needed";
  return key.fallback.empty() ? key.without : Code(key.fallback);
}

std::string Table(const std::vector<const PlanKey*>& rows) {
  const bool some_are_special =
      std::ranges::any_of(rows, [](const PlanKey* k) { return !k->always; });
  std::string text = some_are_special
                         ? "| key | of | default | may be | meaning |\n|---|---|---|---|---|\n"
                         : "| key | default | may be | meaning |\n|---|---|---|---|\n";
  for (const PlanKey* key : rows) {
    text += "| " + Code(key->name()) + " | ";
    if (some_are_special) text += (key->always ? "all" : Joined(key->of)) + " | ";
    text += format("{} | {} | {} |\n", Default(*key), Cell(MayBe(*key)), Cell(key->meaning));
  }
  return text;
}

// The keys that exist for some words of `decider`, this among them.
std::string KeysOf(std::string_view word, const PlanKey& decider, const Keys& keys) {
  std::vector<std::string> own;
  for (const PlanKey& key : keys) {
    if (key.always || key.decider != decider.sample_path) continue;
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
                            parent.empty() ? "Sections" : parent, Table(rows));
  for (const PlanKey* key : rows) {
    if (key->decides()) text += WordsTable(*key, keys);
  }
  return text;
}

}  // namespace

std::string PlanKeysPage() {
  const Keys keys = PlanKeys();
  std::string text(kIntroduction);
  std::set<std::string> done;
  for (const PlanKey& key : keys) {
    if (done.insert(key.parent()).second) text += Part(key.parent(), keys);
  }
  return text;
}

}  // namespace fx
