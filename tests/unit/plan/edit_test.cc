#include "plan/edit.h"

#include <gtest/gtest.h>

namespace fx {
namespace {

std::string Set(std::string_view text, std::string_view path, std::string_view value) {
  const Result<std::string> edited = SetPlanValue(text, path, value);
  return edited ? *edited : "error: " + edited.error().message();
}

constexpr std::string_view kPlan =
    "# top\n"
    "network :   # where\n"
    "  settings:\n"
    "    agg_addr : auto   # a name\n"
    "\n"
    "    agg_port: 'auto'\n"
    "  # end\n"
    "tasks: {}\n";

TEST(SetPlanValue, ReplacesOneScalarAndKeepsTheRest) {
  EXPECT_EQ(Set(kPlan, "network.settings.agg_addr", "a.example.org"),
            "# top\n"
            "network :   # where\n"
            "  settings:\n"
            "    agg_addr : a.example.org   # a name\n"
            "\n"
            "    agg_port: 'auto'\n"
            "  # end\n"
            "tasks: {}\n");
}

TEST(SetPlanValue, ReplacesAQuotedScalar) {
  EXPECT_EQ(Set("a: 'x' # c\n", "a", "5"), "a: 5 # c\n");
  EXPECT_EQ(Set("a: \"x\\\"y\"\nb: 1\n", "a", "5"), "a: 5\nb: 1\n");
}

TEST(SetPlanValue, ReplacesNothing) {
  EXPECT_EQ(Set("a:\nb: 1\n", "a", "5"), "a: 5\nb: 1\n");
  EXPECT_EQ(Set("a: ~ # c\nb: 1\n", "a", "5"), "a: 5 # c\nb: 1\n");
  EXPECT_EQ(Set("a: null\n", "a", "5"), "a: 5\n");
}

TEST(SetPlanValue, ReplacesInBraces) {
  EXPECT_EQ(Set("a: {b: 1, c: [2, 3]}\n", "a.b", "x"), "a: {b: x, c: [2, 3]}\n");
}

TEST(SetPlanValue, AddsAKeyAtTheEndOfItsMapping) {
  EXPECT_EQ(Set("a:\n  b: 1 # one\nc: 2\n", "a.d", "x"), "a:\n  b: 1 # one\n  d: x\nc: 2\n");
  EXPECT_EQ(Set("a:\n  b: 1", "a.d", "x"), "a:\n  b: 1\n  d: x\n");
}

TEST(SetPlanValue, AddsAKeyInBraces) {
  EXPECT_EQ(Set("a: {}\n", "a.d", "x"), "a: {d: x}\n");
  EXPECT_EQ(Set("a: {b: 1}\n", "a.d.e", "x"), "a: {d: {e: x}, b: 1}\n");
}

TEST(SetPlanValue, AddsAKeyUnderNothing) {
  EXPECT_EQ(Set("a: # c\nb: 1\n", "a.d", "x"), "a: # c\n  d: x\nb: 1\n");
  EXPECT_EQ(Set("", "a.d", "x"), "a:\n  d: x\n");
}

TEST(SetPlanValue, AddsSettingsToASectionThatOnlyHasDefaults) {
  EXPECT_EQ(
      Set("network :\n  defaults : plan/defaults/network.yaml\n", "network.settings.agg_addr", "x"),
      "network :\n  defaults : plan/defaults/network.yaml\n  settings:\n    agg_addr: x\n");
}

TEST(SetPlanValue, AddsInFrontWhereTheEndIsNoPlaceForALine) {
  EXPECT_EQ(Set("a:\n  b: [1,\n    2\n  ]\n", "a.d", "x"), "a:\n  d: x\n  b: [1,\n    2\n  ]\n");
}

TEST(SetPlanValue, KeepsAByteOrderMarkAndCarriageReturns) {
  EXPECT_EQ(Set("\xEF\xBB\xBF"
                "a: 1\r\nb: 2\r\n",
                "a", "5"),
            "\xEF\xBB\xBF"
            "a: 5\r\nb: 2\r\n");
}

TEST(SetPlanValue, RefusesToChangeAValueThatIsShared) {
  EXPECT_EQ(
      Set("a: &x {b: 1}\nc: *x\n", "c.b", "5"),
      "error: cannot set c.b without disturbing the rest of the file: it is written over several "
      "lines, or shared by an anchor");
}

TEST(SetPlanValue, RefusesAScalarOverSeveralLines) {
  EXPECT_EQ(Set("a: x\n  y\n", "a", "5").substr(0, 18), "error: cannot set ");
}

TEST(SetPlanValue, RefusesAValueThatIsNoScalar) {
  EXPECT_EQ(Set("a: 1\n", "a", "[1]"),
            "error: cannot set a to [1], expected one word, number or quoted text");
}

TEST(SetPlanValue, RefusesAPathThroughAScalar) {
  EXPECT_EQ(Set("a: 1\n", "a.b", "5").substr(0, 20), "error: cannot set a.");
}

}  // namespace
}  // namespace fx
