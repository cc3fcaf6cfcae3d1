// docs/reference/plan-keys.md and what it is made from: what the readers of plans ask for.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "core/base/file.h"
#include "core/base/format.h"
#include "plan/read_sections.h"
#include "plan/reference/meanings.h"
#include "plan/reference/plan_keys.h"

namespace fx {
namespace {

const std::vector<PlanKey>& Keys() {
  static const std::vector<PlanKey> keys = PlanKeys();
  return keys;
}

std::string Label(const PlanKey& key) {
  return key.of.empty() ? key.path : format("{} of {}", key.path, key.of.front());
}

const PlanKey* Find(const std::string& path, const std::string& of = "") {
  const auto found = std::ranges::find_if(Keys(), [&](const PlanKey& key) {
    return key.path == path && (of.empty() || std::ranges::find(key.of, of) != key.of.end());
  });
  return found == Keys().end() ? nullptr : &*found;
}

TEST(PlanReference, InTheRepositoryIsThatOfThisProgram) {
  EXPECT_EQ(*ReadFile(Path(FX_SOURCE_DIR) / "docs/reference/plan-keys.md"), PlanKeysPage())
      << "make it again: fx man --plan > docs/reference/plan-keys.md";
}

TEST(PlanReference, EveryKeyHasAMeaning) {
  for (const PlanKey& key : Keys()) EXPECT_NE(key.meaning, "") << Label(key);
}

TEST(PlanReference, EveryWordThatOtherKeysDependOnHasAMeaning) {
  for (const PlanKey& key : Keys()) {
    if (!key.decides()) continue;
    for (const Choice& word : key.distinct_words())
      EXPECT_NE(word.meaning, "") << key.path << '=' << word.name;
  }
}

TEST(PlanReference, EveryMeaningHasAKey) {
  std::set<std::string> described;
  for (const PlanKey& key : Keys()) {
    for (const Choice& word : key.words) {
      described.insert(format("{}={}: {}", key.path, word.name, word.meaning));
    }
    described.insert(format("{}: {}", key.path, key.meaning));
    for (const std::string& of : key.of) {
      described.insert(format("{} of {}: {}", key.path, of, key.meaning));
    }
  }
  for (const Meaning& one : AllMeanings()) {
    const std::string of = one.of.empty() ? "" : format(" of {}", one.of);
    EXPECT_TRUE(described.contains(format("{}{}: {}", one.path, of, one.text)))
        << one.path << of << " is described, and no key";
  }
}

TEST(PlanReference, KnowsWhatMayStandAtEveryKey) {
  for (const PlanKey& key : Keys()) {
    if (!key.kind.empty() || key.numbers || !key.words.empty()) continue;
    const bool has_keys = std::ranges::any_of(Keys(), [&](const PlanKey& other) {
      return other.path.starts_with(key.path + ".") || other.path.starts_with(key.path + "[].");
    });
    EXPECT_TRUE(has_keys || key.path == "SECTION.settings")
        << Label(key) << ": MappingReader::Note says what it may be, or sample.cc has the mapping";
  }
}

TEST(PlanReference, KnowsWhatIsUsedWithoutAKey) {
  for (const PlanKey& key : Keys()) {
    if (key.kind == "section") continue;
    EXPECT_TRUE(key.needed || !key.fallback.empty() || !key.without.empty()) << Label(key);
  }
}

TEST(PlanReference, TellsVariantsOfAKeyApart) {
  EXPECT_EQ(Find("task_runner.settings.optimizer.epsilon", "adagrad")->fallback, "1.0e-10");
  EXPECT_EQ(Find("task_runner.settings.optimizer.epsilon", "adam")->fallback, "1.0e-08");
  EXPECT_EQ(Find("task_runner.settings.optimizer.epsilon", "sgd"), nullptr);
  EXPECT_TRUE(Find("task_runner.settings.layers[].inputs", "concat")->needed);
  EXPECT_FALSE(Find("task_runner.settings.layers[].inputs", "dense")->needed);
  EXPECT_EQ(Find("data_loader.settings.mean", "NiftiDataLoader")->numbers->high, 1e12);
  EXPECT_EQ(Find("data_loader.settings.mean", "IdxDataLoader")->numbers->high, 1e6);
}

// --- Keys in use
// ----------------------------------------------------------------------------------

// The keys of a plan, as the reference writes them.
void Collect(const YamlValue& value, const std::string& path, std::set<std::string>& paths) {
  for (const YamlRef& item : value.items) {
    if (item->is_mapping()) Collect(*item, path + "[]", paths);
  }
  for (const YamlEntry& entry : value.entries) {
    const bool column = path.ends_with(".categorical") || path.ends_with(".normalise");
    const std::string name = path == "tasks" ? "NAME" : column ? "COLUMN" : KeyText(*entry.key);
    const std::string key = path.empty() ? name : format("{}.{}", path, name);
    paths.insert(key);
    Collect(*entry.value, key, paths);
  }
}

TEST(PlanReference, HasEveryKeyOfTheTemplates) {
  std::size_t plans = 0;
  std::set<std::string> paths;
  for (const auto& folder :
       std::filesystem::directory_iterator(Path(FX_SOURCE_DIR) / "workspace_templates")) {
    const Path file = folder.path() / "plan/plan.yaml";
    Collect(**ParseYaml(*ReadFile(file), file.string()), "", paths);
    ++plans;
  }
  EXPECT_GE(plans, 8U);
  for (const std::string& path : paths) {
    const bool settings = path.ends_with(".settings") && std::ranges::count(path, '.') == 1;
    EXPECT_TRUE(Find(path) != nullptr || settings || path == "tasks.NAME") << path;
  }
}

// --- Ranges
// ---------------------------------------------------------------------------------------

// What is said about the number at the key, with the word that the key belongs to.
std::string ComplaintAbout(const PlanKey& key, const std::string& word, const std::string& number) {
  SampleValues values;
  if (!word.empty()) values.emplace_back(key.decider, word);
  values.emplace_back(key.sample_path, key.list ? format("[{}, {}]", number, number) : number);
  Complaints complaints;
  Plan plan;
  ReadPlan(*SampleDocument(values), complaints, plan);
  const std::string all = complaints.ToStatus().error().message();
  const std::size_t at = all.find(key.sample_path + (key.list ? "[0] is " : " is "));
  return at == std::string::npos ? "" : all.substr(at, all.find('\n', at) - at);
}

// The numbers at one end of a range, as YAML. `way`: 1 at the upper end, -1 at the lower.
struct End {
  std::string inside, outside;
};
End EndOf(double bound, bool open, bool whole, int way) {
  if (whole) return {format("{:.0f}", bound), format("{:.0f}", bound + way)};
  const double step = way * (bound == 0 ? 1e-9 : std::abs(bound) * 1e-9);
  return {format("{:.25f}", open ? bound - step : bound),
          format("{:.25f}", open ? bound : bound + step)};
}

void ExpectEnforced(const PlanKey& key, const std::string& word, const End& end) {
  EXPECT_EQ(ComplaintAbout(key, word, end.inside), "") << word;
  EXPECT_NE(ComplaintAbout(key, word, end.outside), "")
      << key.path << " of " << word << " may be " << end.outside;
}

TEST(PlanReference, EveryRangeIsEnforcedAtBothEnds) {
  constexpr double kBeyondWholeNumbers = 9223372036854775808.0;  // cannot be written in a plan
  std::size_t ends = 0;
  for (const PlanKey& key : Keys()) {
    if (!key.numbers) continue;
    const auto& [low, high, above, below, whole] = *key.numbers;
    for (const std::string& word : key.of.empty() ? std::vector<std::string>{""} : key.of) {
      ExpectEnforced(key, word, EndOf(low, above, whole, -1));
      ++ends;
      if (std::isinf(high) || high == kBeyondWholeNumbers) continue;
      ExpectEnforced(key, word, EndOf(high, below, whole, 1));
      ++ends;
    }
  }
  EXPECT_GE(ends, 150U);
}

}  // namespace
}  // namespace fx
