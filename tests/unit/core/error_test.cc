#include "core/base/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/matchers.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using test::IsOkAndHolds;

Result<int> Half(int n) {
  if (n % 2 != 0) return Fail(ErrorCode::kInvalidArgument, "an odd number");
  return n / 2;
}

Result<int> Quarter(int n) {
  const int half = TRY(Half(n));
  return TRY(Half(half));
}

Status CheckQuarter(int n) {
  TRY(Quarter(n));
  return Ok();
}

TEST(Error, RendersContextsOutermostFirstThenTheReasonThenTheHint) {
  const Error error = Error(ErrorCode::kInvalidArgument, "plan.yaml:14: 1.4, expected 0 to 1")
                          .Hint("percentages must add up to 1")
                          .In("cannot read the plan")
                          .In("cannot start the aggregator");
  EXPECT_EQ(error.Render(),
            "error: cannot start the aggregator\n"
            "  because: cannot read the plan\n"
            "  because: plan.yaml:14: 1.4, expected 0 to 1\n"
            "  hint: percentages must add up to 1\n");
  EXPECT_EQ(
      error.OneLine(),
      "cannot start the aggregator: cannot read the plan: plan.yaml:14: 1.4, expected 0 to 1");
}

TEST(Error, RendersAloneWithoutBecause) {
  EXPECT_EQ(Error(ErrorCode::kNotFound, "no plan").Render(), "error: no plan\n");
  EXPECT_EQ(Error(ErrorCode::kNotFound, "no plan").OneLine(), "no plan");
}

TEST(Error, KeepsTheInnermostHint) {
  EXPECT_EQ(Error(ErrorCode::kNotFound, "no plan").Hint("inner").Hint("outer").hint(), "inner");
}

TEST(Error, NamesEveryCodeAsGrpcDoes) {
  EXPECT_EQ(Name(ErrorCode::kCancelled), "CANCELLED");
  EXPECT_EQ(Name(ErrorCode::kInvalidArgument), "INVALID_ARGUMENT");
  EXPECT_EQ(Name(ErrorCode::kUnauthenticated), "UNAUTHENTICATED");
  EXPECT_EQ(static_cast<int>(ErrorCode::kUnauthenticated), 16);
}

TEST(Try, GivesTheValueOrReturnsTheError) {
  EXPECT_THAT(Quarter(8), IsOkAndHolds(2));
  EXPECT_THAT(Quarter(6), IsError(ErrorCode::kInvalidArgument, "odd"));
  EXPECT_THAT(CheckQuarter(8), IsOk());
  EXPECT_THAT(CheckQuarter(7), IsError(ErrorCode::kInvalidArgument, "odd"));
}

TEST(In, AddsAContextToAnErrorAndLeavesAValueAlone) {
  EXPECT_THAT(In(Half(4), "while halving"), IsOkAndHolds(2));
  EXPECT_THAT(In(Half(5), "while halving"),
              IsError(ErrorCode::kInvalidArgument, "error: while halving\n  because: an odd"));
}

TEST(CheckDeathTest, NamesThePlaceAndTheCondition) {
  EXPECT_DEATH(FX_CHECK(1 + 1 == 3), "error_test.cc:[0-9]+.*1 \\+ 1 == 3");
}

TEST(Matchers, TellErrorsFromValues) {
  EXPECT_THAT(Half(5), testing::Not(IsOk()));
  EXPECT_THAT(Half(4), testing::Not(IsError(ErrorCode::kInvalidArgument, "odd")));
  EXPECT_THAT(Half(5), testing::Not(IsError(ErrorCode::kInvalidArgument, "even")));
  EXPECT_THAT(Half(5), testing::Not(IsError(ErrorCode::kNotFound, "odd")));
  EXPECT_THAT(Half(4), testing::Not(IsOkAndHolds(3)));
  EXPECT_THAT(Half(4), IsOkAndHolds(testing::Gt(1)));
}

TEST(Matchers, ShowTheErrorWhenAMatchFails) {
  testing::StringMatchResultListener listener;
  testing::ExplainMatchResult(IsOk(), Half(5), &listener);
  EXPECT_EQ(listener.str(), "which is INVALID_ARGUMENT\nerror: an odd number\n");
}

}  // namespace
}  // namespace fx
