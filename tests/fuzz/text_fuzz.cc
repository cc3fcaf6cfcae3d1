// Text: a target is its sample one character later, and characters are numbers of the alphabet.
#include <algorithm>
#include <vector>

#include "tasks/loaders/text.h"
#include "tests/fuzz/fuzz.h"

namespace fx::fuzz {
namespace {

void CheckSequences(const DataSet& data, std::size_t length, float highest) {
  std::vector<float> sample(length), target(length);
  for (std::uint32_t i = 0; i < data.size(); ++i) {
    data.Gather({&i, 1}, sample, target);
    FX_CHECK(std::equal(sample.begin() + 1, sample.end(), target.begin()));
    for (const float value : target) FX_CHECK(value >= 0 && value <= highest);
  }
}

}  // namespace

// The first byte is the length of sequences, the rest the text.
void Try(std::string_view input) {
  static InputFile file("in.txt");
  if (input.empty()) return;
  DataLoaderSettings settings;
  settings.text.sequence_length = 1 + (input[0] & 15);
  settings.text.alphabet = "abc \n";
  const auto loader = MakeTextDataLoader(settings, file.Holding(input.substr(1)));
  if (!loader) {
    FX_CHECK(loader.error().OneLine().find("in.txt") != std::string::npos);
    return;
  }
  const auto length = static_cast<std::size_t>(settings.text.sequence_length);
  const auto highest = static_cast<float>(settings.text.alphabet.size());
  CheckSequences((*loader)->train(), length, highest);
  CheckSequences((*loader)->validation(), length, highest);
}

}  // namespace fx::fuzz
