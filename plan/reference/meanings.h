// What keys of the plan and words in it mean, for people: a table for each part of a plan.
// Defaults, ranges and which keys there are come from the readers; a sentence here without a key,
// or a key without a sentence, is found by a test.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace fx {

struct Meaning {
  // As PlanKey::path; of a word, with the word: "task_runner.settings.layers[].type=dense".
  std::string_view path;
  std::string_view text;
  // What is used without the key, where the readers cannot tell: "the layer before".
  std::string_view without = {};
  // If the key means different things, the word (PlanKey::of) this is for.
  std::string_view of = {};
};

std::span<const Meaning> SectionMeanings();   // the plan, and the sections not named below
std::span<const Meaning> DataMeanings();      // data_loader
std::span<const Meaning> LayerMeanings();     // task_runner.settings.layers
std::span<const Meaning> TrainingMeanings();  // the rest of task_runner
std::span<const Meaning> TaskMeanings();      // assigner, tasks
const std::vector<Meaning>& AllMeanings();

// The one for the word `of` if there is one, else the one for all; null: neither.
const Meaning* FindMeaning(std::string_view path, std::string_view of);

}  // namespace fx
