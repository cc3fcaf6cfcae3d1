#include "rpc/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/matchers.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOkAndHolds;

const FederationIdentity kIdentity = {.aggregator_uuid = "aggregator_plan.yaml_1234abcd",
                                      .federation_uuid = "plan.yaml_1234abcd",
                                      .plan_digest = "1234abcdef"};

CallerRules Rules() {
  return {.identity = kIdentity, .authorized = {{"ann"}, {"bob"}}};
}

Result<CollaboratorName> Check(const wire::Header& header, const std::vector<std::string>& names,
                               const CallerRules& rules = Rules()) {
  return CheckHeader(header, rules, names);
}

wire::Header HeaderOf(const std::string& sender) {
  return MakeHeader(kIdentity, CollaboratorName{sender});
}

TEST(CheckHeader, ReturnsTheSenderOfAGoodCall) {
  EXPECT_THAT(Check(HeaderOf("ann"), {"ann"}), IsOkAndHolds(CollaboratorName{"ann"}));
}

TEST(CheckHeader, TakesAnyNameOfTheCertificate) {
  EXPECT_THAT(Check(HeaderOf("ann"), {"host.example", "ann"}),
              IsOkAndHolds(CollaboratorName{"ann"}));
}

TEST(CheckHeader, RefusesACallWithoutCertificate) {
  EXPECT_THAT(Check(HeaderOf("ann"), {}),
              IsError(ErrorCode::kUnauthenticated, "showed no certificate"));
}

TEST(CheckHeader, BelievesACallWithoutCertificateIfNoneIsRequired) {
  CallerRules rules = Rules();
  rules.require_certificate = false;
  EXPECT_THAT(Check(HeaderOf("ann"), {}, rules), IsOkAndHolds(CollaboratorName{"ann"}));
  EXPECT_THAT(Check(HeaderOf("ann"), {"bob"}, rules),
              IsError(ErrorCode::kPermissionDenied, "the certificate is for \"bob\""));
}

TEST(CheckHeader, JudgesTheCertificateBeforeAnythingElse) {
  wire::Header header = HeaderOf("zoe");
  header.set_plan_digest("other");
  EXPECT_THAT(Check(header, {"bob", "bob", "bob.example"}),
              IsError(ErrorCode::kPermissionDenied,
                      "the certificate is for \"bob\", \"bob.example\", but the sender says "
                      "\"zoe\""));
  const auto unlisted = Check(header, {"zoe"});
  EXPECT_THAT(unlisted, IsError(ErrorCode::kPermissionDenied, "\"zoe\" is not in plan/cols.yaml"));
  EXPECT_THAT(unlisted.error().hint(), testing::HasSubstr("fx collaborator certify"));
  EXPECT_THAT(unlisted.error().hint(), testing::HasSubstr("fx aggregator add -n"));
}

TEST(CheckHeader, NamesBothPlansByTheirFirstDigits) {
  wire::Header header = HeaderOf("ann");
  header.set_plan_digest("9876543210");
  header.set_receiver("aggregator_plan.yaml_98765432");
  EXPECT_THAT(Check(header, {"ann"}),
              IsError(ErrorCode::kInvalidArgument, "(yours \"98765432\", theirs \"1234abcd\")"));
}

TEST(CheckHeader, RefusesAnEmptyHeader) {
  EXPECT_THAT(Check({}, {"ann"}), IsError(ErrorCode::kPermissionDenied, "the sender says \"\""));
}

TEST(Quoted, LeavesNothingThatCouldBreakALine) {
  EXPECT_EQ(Quoted("a\nb\"c\x7f"), "\"a?b?c?\"");
  EXPECT_EQ(Quoted(std::string(200, 'x')), "\"" + std::string(80, 'x') + "...\"");
}

}  // namespace
}  // namespace fx
