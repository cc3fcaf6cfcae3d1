// Our names for plans against those OpenFL itself gave them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/file.h"
#include "plan/canonical.h"
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
