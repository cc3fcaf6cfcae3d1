// Runs the readers of plans over sample documents and writes down what they ask for.
#include <algorithm>
#include <map>
#include <tuple>

#include "core/base/format.h"
#include "plan/complaints.h"
#include "plan/read_sections.h"
#include "plan/reference/meanings.h"
#include "plan/reference/plan_keys.h"

namespace fx {
namespace {

class Recorder : public KeyObserver {
 public:
  void Note(const std::string& path, const KeyFact& fact) override {
    PlanKey& key = KeyAt(path);
    key.needed |= fact.needed;
    if (!fact.meaning.empty()) key.meaning = fact.meaning;
    if (fact.kind.empty() && !fact.numbers && fact.words == nullptr) return;
    key.kind = fact.kind;
    key.numbers = fact.numbers;
    key.list = fact.list;
    key.words = fact.words == nullptr ? std::vector<Choice>() : *fact.words;
  }

  void Read(const YamlValue& document) {
    Complaints complaints(this);
    Plan plan;
    ReadPlan(document, complaints, plan);
    for (const Assumption& assumption : complaints.assumptions()) {
      std::string& fallback = KeyAt(assumption.key).fallback;
      if (fallback.empty()) fallback = assumption.value;
    }
  }

  std::vector<PlanKey> Take() { return std::move(keys_); }

 private:
  PlanKey& KeyAt(const std::string& path) {
    const auto [place, fresh] = places_.try_emplace(path, keys_.size());
    if (fresh) keys_.emplace_back().sample_path = path;
    return keys_[place->second];
  }

  std::vector<PlanKey> keys_;
  std::map<std::string, std::size_t> places_;
};

std::vector<PlanKey> KeysWith(const SampleValues& values) {
  Recorder recorder;
  recorder.Read(*SampleDocument(values));
  recorder.Read(*BareDocument(values));
  return recorder.Take();
}

std::string ParentOf(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos ? "" : path.substr(0, dot);
}

bool Has(const std::vector<Choice>& words, int value) {
  return std::ranges::find(words, value, &Choice::value) != words.end();
}

// Paths as the reference writes them.
std::string Public(std::string path) {
  for (std::size_t at; (at = path.find("[0]")) != std::string::npos;) path.erase(at + 1, 1);
  const std::size_t dot = path.find('.');
  const std::string rest = dot == std::string::npos ? "" : path.substr(dot);
  return rest == ".settings" || rest == ".defaults" ? "SECTION" + rest : path;
}

// The innermost of `deciders` that says whether there is such a key; null: none.
const PlanKey* OwnerOf(const std::string& sample_path, const std::vector<PlanKey>& deciders) {
  const PlanKey* owner = nullptr;
  std::size_t longest = 0;
  for (const PlanKey& decider : deciders) {
    const std::string mapping = ParentOf(decider.sample_path) + ".";
    const bool about_it = sample_path.starts_with(mapping) && sample_path != decider.sample_path;
    if (!about_it || mapping.size() <= longest) continue;
    owner = &decider;
    longest = mapping.size();
  }
  return owner;
}

// Fills in what is not recorded.
void Describe(PlanKey& key, const PlanKey* decider, const std::string& word) {
  key.path = Public(key.sample_path);
  if (decider != nullptr && !key.path.starts_with("SECTION.")) {
    key.decider = decider->sample_path;
    key.of = {word};
  }
  if (key.needed) key.fallback.clear();
  for (Choice& choice : key.words) {
    const Meaning* found = FindMeaning(format("{}={}", key.path, choice.name), "");
    if (found != nullptr) choice.meaning = found->text;
  }
  const Meaning* found = FindMeaning(key.path, word);
  if (found == nullptr) return;
  key.meaning = found->text;
  key.without = found->without;
  if (!key.without.empty()) key.fallback.clear();
}

bool SameButForWords(const PlanKey& a, const PlanKey& b) {
  const auto facts = [](const PlanKey& k) {
    return std::tie(k.path, k.decider, k.kind, k.list, k.needed, k.fallback, k.without, k.meaning);
  };
  const auto range = [](const PlanKey& k) {
    const NumberRange r = k.numbers.value_or(NumberRange{1, 0});
    return std::tuple(r.low, r.high, r.above, r.below, r.whole);
  };
  return facts(a) == facts(b) && range(a) == range(b) &&
         std::ranges::equal(a.words, b.words, {}, &Choice::name, &Choice::name);
}

class Collection {
 public:
  void Add(PlanKey key) {
    const auto same = [&](const PlanKey& old) { return SameButForWords(old, key); };
    const auto found = std::ranges::find_if(keys_, same);
    if (found == keys_.end()) {
      keys_.push_back(std::move(key));
    } else {
      found->of.insert(found->of.end(), key.of.begin(), key.of.end());
    }
  }

  std::vector<PlanKey> Take() { return std::move(keys_); }

 private:
  std::vector<PlanKey> keys_;
};

// The keys that exist for one word of a decider, or (null) whatever the words.
void AddKeys(const PlanKey* decider, const std::string& word, const std::vector<PlanKey>& deciders,
             Collection& keys) {
  SampleValues values;
  if (decider != nullptr) values.emplace_back(decider->sample_path, word);
  for (PlanKey& key : KeysWith(values)) {
    if (OwnerOf(key.sample_path, deciders) != decider) continue;
    Describe(key, decider, word);
    keys.Add(std::move(key));
  }
}

}  // namespace

std::string PlanKey::parent() const {
  return ParentOf(path);
}

bool PlanKey::decides() const {
  const bool says_what_it_is = name() == "template" || name() == "type" || name() == "function";
  return says_what_it_is && distinct_words().size() > 1;
}

std::vector<Choice> PlanKey::distinct_words() const {
  std::vector<Choice> distinct;
  for (const Choice& word : words) {
    if (!Has(distinct, word.value)) distinct.push_back(word);
  }
  return distinct;
}

std::vector<PlanKey> PlanKeys() {
  std::vector<PlanKey> deciders;
  for (PlanKey& key : KeysWith({})) {
    key.path = key.sample_path;
    if (key.decides()) deciders.push_back(std::move(key));
  }
  Collection collection;
  AddKeys(nullptr, "", deciders, collection);
  std::map<std::string, std::size_t> number_of_words;
  for (const PlanKey& decider : deciders) {
    const std::vector<Choice> words = decider.distinct_words();
    number_of_words[decider.sample_path] = words.size();
    for (const Choice& word : words)
      AddKeys(&decider, std::string(word.name), deciders, collection);
  }
  std::vector<PlanKey> keys = collection.Take();
  for (PlanKey& key : keys) {
    key.always = key.of.empty() || key.of.size() == number_of_words[key.decider];
  }
  return keys;
}

}  // namespace fx
