#include "plan/resolve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/canonical.h"
#include "plan/load.h"
#include "plan/merge_defaults.h"

namespace fx {
namespace {

using ::testing::HasSubstr;

const Path kPlan = Path(FX_SOURCE_DIR) / "workspace_templates/cnn_mnist/plan/plan.yaml";

// How many lines differ, when both have equally many; -1 otherwise.
int LinesThatDiffer(std::string_view a, std::string_view b) {
  int count = 0;
  while (!a.empty() && !b.empty()) {
    const std::size_t x = a.find('\n'), y = b.find('\n');
    count += a.substr(0, x) == b.substr(0, y) ? 0 : 1;
    a.remove_prefix(x == std::string_view::npos ? a.size() : x + 1);
    b.remove_prefix(y == std::string_view::npos ? b.size() : y + 1);
  }
  return a.empty() && b.empty() ? count : -1;
}

TEST(ResolvePlan, SetsAddressAndPortAndNothingElse) {
  const std::string text = *ReadFile(kPlan);
  const Result<std::string> resolved = ResolvePlan(text, kPlan, "agg.example.org");
  ASSERT_TRUE(resolved) << resolved.error().Render();
  EXPECT_EQ(LinesThatDiffer(text, *resolved), 2);
  EXPECT_THAT(*resolved, HasSubstr("    agg_addr: agg.example.org                    # the"));
}

TEST(ResolvePlan, TwiceIsOnce) {
  const std::string once = *ResolvePlan(*ReadFile(kPlan), kPlan, "agg.example.org");
  EXPECT_EQ(*ResolvePlan(once, kPlan, "agg.example.org"), once);
  EXPECT_EQ(*ResolvePlan(once, kPlan, ""), once);
}

TEST(ResolvePlan, KeepsAPortThatIsANumber) {
  const std::string text = "network: {settings: {agg_addr: auto, agg_port: 5000}}\n";
  EXPECT_EQ(*ResolvePlan(text, "plan/plan.yaml", "a.org"),
            "network: {settings: {agg_addr: a.org, agg_port: 5000}}\n");
}

TEST(ResolvePlan, NeedsAnAddress) {
  const auto refused = ResolvePlan("network: {settings: {}}\n", "plan/plan.yaml", "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().Render(),
            "error: cannot set the aggregator's address in plan/plan.yaml\n"
            "  because: network.settings.agg_addr is auto\n"
            "  hint: give the aggregator's fully qualified name: -a FQDN\n");
}

TEST(ResolvePlan, AddsWhatThePlanDoesNotHave) {
  EXPECT_EQ(ResolvePlan("tasks: {}\n", "plan/plan.yaml", "a.org")->substr(0, 51),
            "tasks: {}\nnetwork:\n  settings:\n    agg_addr: a.org\n");
}

TEST(CheckResolved, RefusesAPlanThatStillSaysAuto) {
  Plan plan;
  EXPECT_EQ(CheckResolved(plan).error().message(),
            "the plan does not say where the aggregator is: network.settings.agg_addr is auto");
  plan.network.agg_addr = "a.org";
  EXPECT_EQ(CheckResolved(plan).error().message(),
            "the plan does not say where the aggregator is: network.settings.agg_port is auto");
  plan.network.agg_port = 5000;
  EXPECT_TRUE(CheckResolved(plan));
}

}  // namespace
}  // namespace fx
