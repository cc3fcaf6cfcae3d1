// What a reader asks of a key of the plan, as data: the reference of all keys is made from it
// (plan/reference/).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fx {

// A plain word that says what a value may be: one of these. Of words with the same value the first
// is the name, the others are other people's names for it. `meaning` only where whoever defines
// the word has the sentence, too; the others stand in plan/reference/.
struct Choice {
  std::string_view name;
  int value;
  std::string_view meaning = {};
};

// [low, high], without an end that is `above` or `below`.
struct NumberRange {
  double low, high;
  bool above = false, below = false;
  bool whole = false;
};

// What may stand at a key: a number of the range, one of the words, or what `kind` says. None of
// the three: nothing is told but that there is such a key. Costs nothing to make; what it points to
// lives as long as the call it is handed to.
struct KeyFact {
  std::string_view kind = {};
  std::optional<NumberRange> numbers = std::nullopt;
  bool list = false;  // only a list of such numbers; `kind` says of how many
  const std::vector<Choice>* words = nullptr;
  bool needed = false;
  std::string_view meaning = {};  // as in Choice
};

// Is told of each key whenever it is asked for, present or not. A later fact that says what may
// stand there replaces an earlier one.
class KeyObserver {
 public:
  virtual ~KeyObserver() = default;
  virtual void Note(const std::string& path, const KeyFact& fact) = 0;
};

}  // namespace fx
