#include "pki/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/matchers.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;

TEST(Identity, LowersCaseAndKnowsItsFiles) {
  const auto aggregator = Identity::Aggregator("Agg.Example");
  ASSERT_THAT(aggregator, IsOk());
  EXPECT_EQ(aggregator->name(), "agg.example");
  EXPECT_EQ(aggregator->File("cert", ".crt"), Path("cert/server/agg_agg.example.crt"));
  const auto collaborator = Identity::Collaborator("Site-1");
  ASSERT_THAT(collaborator, IsOk());
  EXPECT_EQ(collaborator->File("cert", ".key"), Path("cert/client/col_site-1.key"));
}

TEST(Identity, LetsAnAggregatorBeAnAddress) {
  for (const char* address : {"10.0.0.1", "::1", "fd00:1::2"}) {
    const auto identity = Identity::Aggregator(address);
    ASSERT_THAT(identity, IsOk());
    EXPECT_TRUE(identity->is_ip_address());
  }
  EXPECT_FALSE(Identity::Aggregator("localhost")->is_ip_address());
  EXPECT_THAT(Identity::Collaborator("::1"), IsError(ErrorCode::kInvalidArgument, "may only have"));
}

TEST(Identity, RefusesNamesThatAreNotHarmless) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "is empty"},
      {std::string(65, 'a'), "has 65 characters, a certificate holds at most 64"},
      {"a/b", "may only have letters"},
      {"a b", "may only have letters"},
      {"a,DNS:b", "may only have letters"},
      {"a\nb", "the collaborator name \"a?b\" may only have letters"},
      {std::string("a\0b", 3), "may only have letters"},
      {"m\xC3\xBCnchen", "may only have letters"},
      {"..", "must start with a letter or a digit"},
      {"-n", "must start with a letter or a digit"},
      {"a..b", "two dots"},
  };
  for (const auto& [name, complaint] : cases) {
    EXPECT_THAT(Identity::Collaborator(name), IsError(ErrorCode::kInvalidArgument, complaint));
    EXPECT_FALSE(Identity::Aggregator(name).has_value()) << name;
  }
  EXPECT_THAT(Identity::Collaborator(std::string(64, 'a')), IsOk());
}

}  // namespace
}  // namespace fx
