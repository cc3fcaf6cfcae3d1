// docs/reference/plan.md knows every key LoadPlan knows.
#include <gtest/gtest.h>

#include <set>

#include "plan/read_network.h"
#include "tests/unit/plan/plan_text.h"

namespace fx {
namespace {

constexpr std::string_view kNonsense = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq";

// The names LoadPlan lists when it meets a key that is near none of them.
void CollectNames(const std::string& complaints, std::set<std::string>& names) {
  const std::string listing = "is unknown, expected one of ";
  std::size_t at = 0;
  while ((at = complaints.find(listing, at)) != std::string::npos) {
    at += listing.size();
    std::string list = complaints.substr(at, complaints.find('\n', at) - at) + ", ";
    for (std::size_t end; (end = list.find(", ")) != std::string::npos; list.erase(0, end + 2)) {
      names.insert(list.substr(0, end));
    }
  }
}

// Puts the nonsense key into a mapping after each place where `line` ends.
void AddNonsense(std::string& text, const std::string& line, const std::string& indent) {
  std::size_t at = 0;
  while ((at = text.find(line, at)) != std::string::npos) {
    at = text.find('\n', at) + 1;
    text.insert(at, indent + std::string(kNonsense) + ": 1\n");
  }
}

// One layer of each type, and a loss and a schedule that are mappings.
void WithEveryType(test::PlanText& plan) {
  std::string layers = "layers:\n";
  for (const Choice& choice : LayerChoices())
    layers += "      - {type: " + std::string(choice.name) + "}\n";
  const std::string& text = plan.text();
  const std::size_t from = text.find("layers:"), to = text.find("    loss:");
  plan.Replace(text.substr(from, to - from), layers)
      .Replace("loss: softmax_cross_entropy", "loss: {type: binary_cross_entropy}")
      .Replace("type: sgd", "type: rmsprop\n      schedule: {type: step}");
}

std::set<std::string> KnownNames() {
  const std::string nonsense(kNonsense);
  std::set<std::string> names;
  for (const std::string& variant :
       {std::string(), std::string("adam"), std::string("percentage"), std::string("types")}) {
    test::PlanText plan;
    if (variant == "types") WithEveryType(plan);
    std::string text = plan.text();
    AddNonsense(text, "  settings:", "    ");
    AddNonsense(text, "    kwargs:", "      ");
    AddNonsense(text, "    function:", "    ");
    AddNonsense(text, "      - name: train_and_validate", "        ");
    AddNonsense(text, "    optimizer:", "      ");
    AddNonsense(text, "compression_pipeline:", "  ");
    const auto replace = [&](const std::string& from, const std::string& to) {
      for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
        text.replace(at, from.size(), to);
      }
    };
    replace("{type: ", "{" + nonsense + ": 1, type: ");
    replace("- {" + nonsense + ": 1, type: relu}", "- {" + nonsense + ": 1, type: dropout}");
    const std::string cosine = "{" + nonsense + ": 1, type: cosine}";
    if (variant == "adam") replace("type: sgd", "type: adam\n      schedule: " + cosine);
    if (variant == "adam") replace("RandomGroupedAssigner", "StaticGroupedAssigner");
    if (variant == "percentage") replace("CutoffTime", "Percentage");
    replace("    function: train\n",
            "    function: train\n    aggregation_type: {" + nonsense + ": 1}\n");
    CollectNames(plan.Set(text + nonsense + ": {}\n").Complaints(), names);
  }
  return names;
}

TEST(PlanReference, HasEveryKeyThatLoadPlanKnows) {
  const std::string reference = *ReadFile(Path(FX_SOURCE_DIR) / "docs/reference/plan.md");
  const std::set<std::string> names = KnownNames();
  for (const char* name : {"class_weights", "dilation", "entries", "every", "floor", "scale"})
    EXPECT_TRUE(names.contains(name)) << name;
  EXPECT_GE(names.size(), 90U) << "the complaints no longer list the known names";
  for (const std::string& name : names) {
    const bool described = reference.find("`" + name + "`") != std::string::npos ||
                           reference.find("### " + name + "\n") != std::string::npos;
    EXPECT_TRUE(described) << name << " is not in docs/reference/plan.md";
  }
}

}  // namespace
}  // namespace fx
