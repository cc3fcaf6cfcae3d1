// Every key a plan may have, as the readers of plans ask for them: nothing here is written by hand
// but the sentences that say what a key means (plan/reference/meanings.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plan/key_fact.h"
#include "plan/yaml_value.h"

namespace fx {

struct PlanKey {
  // "task_runner.settings.layers[].kernel"; NAME stands for any task, COLUMN for any column of a
  // table, SECTION for any section.
  std::string path;
  std::string sample_path;  // the same in SampleDocument: "task_runner.settings.layers[0].kernel"

  // Where the key depends on a word elsewhere (a type of layer, a template): which key has the
  // word, as sample_path, and the words it exists for. `always` if these are all.
  std::string decider;
  std::vector<std::string> of;
  bool always = true;

  // As in KeyFact.
  std::string kind;
  std::optional<NumberRange> numbers;
  bool list = false;
  std::vector<Choice> words;
  bool needed = false;

  std::string fallback;  // what is used without it, as YAML; "" if that is no constant
  std::string without;   // the same in plain words
  std::string meaning;   // "" if it has no sentence: a defect, which a test finds

  std::string name() const { return path.substr(path.rfind('.') + 1); }
  std::string parent() const;  // "task_runner.settings.layers[]"; "" of a section
  // Whether other keys depend on its word.
  bool decides() const;
  // Its words without other names for them.
  std::vector<Choice> distinct_words() const;
};

// Runs the readers over sample documents, one for each word that decides about keys, and writes
// down what they ask for. In the order they ask.
std::vector<PlanKey> PlanKeys();

// A document in which every mapping and list of a plan is there, with nothing in it but the values
// named: {"task_runner.settings.layers[0].type", "dense"}, as YAML.
using SampleValues = std::vector<std::pair<std::string, std::string>>;
YamlRef SampleDocument(const SampleValues& values);
// The same with nothing but the values: where a word may stand instead of a mapping, it is read.
YamlRef BareDocument(const SampleValues& values);

// docs/reference/plan-keys.md
std::string PlanKeysPage();

}  // namespace fx
