#include "plan/reference/meanings.h"

#include <algorithm>

namespace fx {

const std::vector<Meaning>& AllMeanings() {
  static const std::vector<Meaning> all = [] {
    std::vector<Meaning> joined;
    for (const auto part :
         {SectionMeanings(), DataMeanings(), LayerMeanings(), TrainingMeanings(), TaskMeanings()}) {
      joined.insert(joined.end(), part.begin(), part.end());
    }
    return joined;
  }();
  return all;
}

const Meaning* FindMeaning(std::string_view path, std::string_view of) {
  for (const std::string_view word : {of, std::string_view()}) {
    const auto found = std::ranges::find_if(
        AllMeanings(), [&](const Meaning& one) { return one.path == path && one.of == word; });
    if (found != AllMeanings().end()) return &*found;
  }
  return nullptr;
}

}  // namespace fx
