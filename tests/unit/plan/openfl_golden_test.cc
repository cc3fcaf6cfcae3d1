// Our names for plans against those OpenFL itself gave them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/file.h"
#include "plan/canonical.h"
#include "plan/load.h"
#include "plan/python_parts.h"
#include "plan/resolve.h"
#include "plan/yaml_value.h"

namespace fx {
namespace {

using ::testing::HasSubstr;

nlohmann::json OpenFlPlans() {
  return nlohmann::json::parse(*ReadFile(Path(FX_GOLDEN_DIR) / "plans.json"));
}

TEST(Canonical, GivesOpenFlsPlansTheirNamesAndPorts) {
  const nlohmann::json plans = OpenFlPlans();
  for (const auto& [name, plan] : plans.items()) {
    if (!plan.contains("merged_dump")) continue;
    const Result<YamlRef> merged = ParseYaml(plan["merged_dump"].get<std::string>(), "t.yaml");
    ASSERT_TRUE(merged) << name << merged.error().Render();
    EXPECT_EQ(CanonicalYaml(**merged), plan["merged_dump"].get<std::string>()) << name;
    const std::string digest = PlanDigest(**merged);
    EXPECT_EQ(digest, plan["sha384_before_resolve"].get<std::string>());
    const std::string uuid = FederationUuid("plan.yaml", digest);
    EXPECT_EQ(uuid, plan["federation_uuid"].get<std::string>());
    EXPECT_EQ(AggregatorUuid(uuid), plan["aggregator_uuid"].get<std::string>());
  }
}

TEST(LoadPlan, TakesOpenFlsStockPlansUnderTheirOwnNames) {
  const TempDir folder;
  ASSERT_TRUE(MakeFolders(folder.path() / "plan"));
  const Path file = folder.path() / "plan/plan.yaml";
  const nlohmann::json plans = OpenFlPlans();
  int loaded = 0;
  for (const auto& [name, stock] : plans.items()) {
    const std::string text = stock.value("merged_dump", "");
    // Compression is not there yet, and a plan without tasks is one to build upon.
    if (text.find("KCPipeline") != std::string::npos || name == "default") continue;
    ASSERT_TRUE(AtomicWrite(file, text));
    const Result<Plan> plan = LoadPlan(file, folder.path() / "plan/cols.yaml");
    ASSERT_TRUE(plan) << name << plan.error().Render();
    EXPECT_EQ(plan->digest, stock["sha384_before_resolve"].get<std::string>()) << name;
    EXPECT_EQ(plan->aggregator_uuid, stock["aggregator_uuid"].get<std::string>()) << name;
    EXPECT_FALSE(CheckNative(*plan)) << name;
    ++loaded;
  }
  EXPECT_GE(loaded, 12);
}

TEST(ResolvePlan, ChoosesThePortOpenFlChooses) {
  const nlohmann::json plans = OpenFlPlans();
  for (const auto& [name, plan] : plans.items()) {
    if (!plan.contains("merged_dump")) continue;
    const Result<std::string> resolved =
        ResolvePlan(plan["merged_dump"].get<std::string>(), "plan/plan.yaml",
                    plan["agg_addr"].get<std::string>());
    ASSERT_TRUE(resolved) << name << resolved.error().Render();
    EXPECT_EQ(*resolved, plan["dump_after_resolve"].get<std::string>()) << name;
    EXPECT_THAT(*resolved, HasSubstr("agg_port: " + plan["agg_port"].dump()));
  }
}

}  // namespace
}  // namespace fx
