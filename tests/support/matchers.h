// Matchers for Result<T> and Status, and how GoogleTest prints an Error.
//
//   EXPECT_THAT(LoadPlan(path), IsOk());
//   EXPECT_THAT(Parse("7"), IsOkAndHolds(7));
//   EXPECT_THAT(LoadPlan(path), IsError(ErrorCode::kNotFound, "plan.yaml"));
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>

#include "core/base/error.h"

namespace fx {

inline void PrintTo(ErrorCode code, std::ostream* out) {
  *out << Name(code);
}
inline void PrintTo(const Error& error, std::ostream* out) {
  *out << Name(error.code()) << "\n" << error.Render();
}

namespace test {

// The result holds a value; on failure the whole error is shown.
MATCHER(IsOk, negation ? "is an error" : "is not an error") {
  if (arg.has_value()) return true;
  *result_listener << "which is " << testing::PrintToString(arg.error());
  return false;
}

// The result holds an error of this code whose rendering, with contexts and hint, contains `text`.
MATCHER_P2(IsError, code, text,
           "is the error " + testing::PrintToString(code) + " saying " +
               testing::PrintToString(text)) {
  if (arg.has_value()) {
    *result_listener << "which is not an error";
    return false;
  }
  *result_listener << "which is " << testing::PrintToString(arg.error());
  return arg.error().code() == code &&
         arg.error().Render().find(std::string(text)) != std::string::npos;
}

// The result holds a value that matches `inner`.
MATCHER_P(IsOkAndHolds, inner, "is not an error, and " + testing::PrintToString(inner)) {
  if (!arg.has_value()) {
    *result_listener << "which is " << testing::PrintToString(arg.error());
    return false;
  }
  using Value = std::remove_cvref_t<decltype(*arg)>;
  return testing::ExplainMatchResult(testing::SafeMatcherCast<const Value&>(inner), *arg,
                                     result_listener);
}

}  // namespace test
}  // namespace fx
