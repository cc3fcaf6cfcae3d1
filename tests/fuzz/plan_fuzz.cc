// A plan as a site may be sent it: refused in a bounded number of words, or understood, and then
// its canonical text means the same and an edit changes what it says it changes.
#include "plan/canonical.h"
#include "plan/complaints.h"
#include "plan/edit.h"
#include "plan/load.h"
#include "tests/fuzz/fuzz.h"

namespace fx::fuzz {
namespace {

// All complaints together, as long as they may be.
constexpr std::size_t kMostWords = (kMostComplaints + 2) * (kLongestComplaint + 100);

template <typename T>
void CheckComplaint(const Result<T>& result) {
  if (!result) FX_CHECK(result.error().Render().size() <= kMostWords);
}

// The canonical text is that of its own meaning.
void CheckCanonical(const YamlRef& document) {
  const std::string text = CanonicalYaml(*document);
  const auto again = ParseYaml(text, "canonical");
  FX_CHECK(again.has_value() && *again != nullptr);
  FX_CHECK(CanonicalYaml(**again) == text);
}

void CheckEdit(const std::string& text) {
  const auto edited = SetPlanValue(text, "network.settings.agg_port", "50051");
  if (!edited) return;
  const auto document = ParseYaml(*edited, "edited");
  FX_CHECK(document.has_value() && *document != nullptr);
  YamlRef value = *document;
  for (const char* const key : {"network", "settings", "agg_port"}) {
    value = value->Find(key);
    FX_CHECK(value != nullptr);
  }
  FX_CHECK(value->source == "50051");
}

}  // namespace

void Try(std::string_view input) {
  static InputFile plan_file("plan.yaml");
  {
    const MemoryBound bound(input, 1024);
    const auto document = ParseYaml(input, "plan");
    CheckComplaint(document);
    if (document && *document) CheckCanonical(*document);
    const auto plan = LoadPlan(plan_file.Holding(input), "no/cols.yaml");
    CheckComplaint(plan);
    if (plan) FX_CHECK(plan->digest.size() == 96);
  }
  CheckEdit(std::string(input));
}

}  // namespace fx::fuzz
