#include "plan/yaml_scalar.h"

#include <gtest/gtest.h>

#include <limits>

namespace fx {
namespace {

std::string Resolved(std::string_view source) {
  const Result<YamlScalar> s = ResolvePlain(source);
  if (!s) return "refused: " + s.error().message();
  switch (s->kind) {
    case YamlKind::kNull:
      return "null";
    case YamlKind::kBool:
      return s->boolean ? "true" : "false";
    case YamlKind::kInteger:
      return "int " + std::to_string(s->integer);
    case YamlKind::kFloat:
      return "float " + PythonFloat(s->real);
    case YamlKind::kTimestamp:
      return "time " + s->text;
    default:
      return "text " + s->text;
  }
}

TEST(ResolvePlain, KnowsTheWordsForNothing) {
  for (const char* word : {"", "~", "null", "Null", "NULL"}) EXPECT_EQ(Resolved(word), "null");
  EXPECT_EQ(Resolved("nULL"), "text nULL");
}

TEST(ResolvePlain, KnowsYaml11Booleans) {
  for (const char* word : {"yes", "Yes", "YES", "on", "true", "True"})
    EXPECT_EQ(Resolved(word), "true");
  for (const char* word : {"no", "Off", "FALSE"}) EXPECT_EQ(Resolved(word), "false");
  for (const char* word : {"y", "n", "yEs", "oN"}) EXPECT_EQ(Resolved(word).substr(0, 4), "text");
}

TEST(ResolvePlain, ReadsWholeNumbersInEveryBase) {
  EXPECT_EQ(Resolved("0"), "int 0");
  EXPECT_EQ(Resolved("-12"), "int -12");
  EXPECT_EQ(Resolved("+1_000"), "int 1000");
  EXPECT_EQ(Resolved("017"), "int 15");
  EXPECT_EQ(Resolved("08"), "text 08");
  EXPECT_EQ(Resolved("0x1F"), "int 31");
  EXPECT_EQ(Resolved("-0b101"), "int -5");
  EXPECT_EQ(Resolved("1:30"), "int 90");
  EXPECT_EQ(Resolved("-1:30:00"), "int -5400");
  EXPECT_EQ(Resolved("1:60"), "text 1:60");
}

TEST(ResolvePlain, ReadsTheSmallestAndLargestWholeNumber) {
  EXPECT_EQ(Resolved("-9223372036854775808"), "int -9223372036854775808");
  EXPECT_EQ(Resolved("9223372036854775807"), "int 9223372036854775807");
  EXPECT_EQ(
      Resolved("9223372036854775808"),
      "refused: 9223372036854775808 is not a whole number of 64 bits; if it is text, put it in "
      "quotes");
  EXPECT_EQ(Resolved("0x_"),
            "refused: 0x_ is not a whole number of 64 bits; if it is text, put it in "
            "quotes");
}

TEST(ResolvePlain, NeedsAPointAndASignedExponentInAFloat) {
  EXPECT_EQ(Resolved("1e-4"), "text 1e-4");
  EXPECT_EQ(Resolved("1.0e-4"), "float 0.0001");
  EXPECT_EQ(Resolved("1.0e5"), "text 1.0e5");
  EXPECT_EQ(Resolved("5."), "float 5.0");
  EXPECT_EQ(Resolved(".5"), "float 0.5");
  EXPECT_EQ(Resolved("-.5"), "text -.5");
  EXPECT_EQ(Resolved("1_0.5"), "float 10.5");
  EXPECT_EQ(Resolved("1:30.5"), "float 90.5");
  EXPECT_EQ(Resolved(".inf"), "float .inf");
  EXPECT_EQ(Resolved("-.INF"), "float -.inf");
  EXPECT_EQ(Resolved(".NaN"), "float .nan");
  EXPECT_EQ(Resolved("1.0e+400"), "float .inf");
  EXPECT_EQ(Resolved("1.0e-400"), "float 0.0");
}

TEST(ResolvePlain, ReadsDatesAndTimesAsPythonPrintsThem) {
  EXPECT_EQ(Resolved("2024-02-29"), "time 2024-02-29");
  EXPECT_EQ(Resolved("2024-2-9"), "text 2024-2-9");
  EXPECT_EQ(Resolved("2024-2-9 1:02:03"), "time 2024-02-09 01:02:03");
  EXPECT_EQ(Resolved("2024-01-01T10:00:00.5Z"), "time 2024-01-01 10:00:00.500000+00:00");
  EXPECT_EQ(Resolved("2024-01-01 10:00:00.1234567 -5:30"), "time 2024-01-01 10:00:00.123456-05:30");
}

TEST(ResolvePlain, RefusesDaysThatDoNotExist) {
  EXPECT_EQ(Resolved("2023-02-29"),
            "refused: 2023-02-29 looks like a date but is none; if it is text, put it in quotes");
  EXPECT_EQ(Resolved("2024-01-01 24:00:00").substr(0, 7), "refused");
  EXPECT_EQ(Resolved("0000-01-01").substr(0, 7), "refused");
}

TEST(ResolvePlain, RefusesWordsWithAMeaningOfTheirOwn) {
  EXPECT_EQ(Resolved("<<"),
            "refused: << has a meaning of its own in YAML; if it is text, put it in quotes");
  EXPECT_EQ(Resolved("=").substr(0, 7), "refused");
}

TEST(ResolveTagged, MakesWhatTheTagSays) {
  EXPECT_EQ(ResolveTagged("str", "1")->text, "1");
  EXPECT_EQ(ResolveTagged("float", "1")->real, 1.0);
  EXPECT_EQ(ResolveTagged("float", "1e-4")->real, 1e-4);
  EXPECT_EQ(ResolveTagged("int", "0x10")->integer, 16);
  EXPECT_TRUE(ResolveTagged("bool", "on")->boolean);
}

TEST(ResolveTagged, RefusesATagThatDoesNotFit) {
  EXPECT_EQ(ResolveTagged("int", "one").error().message(),
            "the tag !!int does not fit; write the value without it");
  EXPECT_FALSE(ResolveTagged("float", "0x10"));
  EXPECT_FALSE(ResolveTagged("binary", "aGVsbG8="));
}

TEST(IsPlainString, IsTrueForTextThatReadsBackAsText) {
  EXPECT_TRUE(IsPlainString("agg.example.org"));
  EXPECT_TRUE(IsPlainString("1e-4"));
  for (const char* text : {"1", "no", "", "2024-01-01", "1.5", "<<"})
    EXPECT_FALSE(IsPlainString(text));
}

TEST(PythonFloat, PrintsAsRepr) {
  EXPECT_EQ(PythonFloat(0.1), "0.1");
  EXPECT_EQ(PythonFloat(1e-4), "0.0001");
  EXPECT_EQ(PythonFloat(1e-5), "1.0e-05");
  EXPECT_EQ(PythonFloat(1.5e-10), "1.5e-10");
  EXPECT_EQ(PythonFloat(1e15), "1000000000000000.0");
  EXPECT_EQ(PythonFloat(1e16), "1.0e+16");
  EXPECT_EQ(PythonFloat(1e300), "1.0e+300");
  EXPECT_EQ(PythonFloat(-0.0), "-0.0");
  EXPECT_EQ(PythonFloat(123456789.125), "123456789.125");
}

}  // namespace
}  // namespace fx
