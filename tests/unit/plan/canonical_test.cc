#include "plan/canonical.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/digest.h"
#include "core/base/file.h"
#include "plan/complaints.h"
#include "plan/yaml_value.h"

namespace fx {
namespace {

std::string Dump(std::string_view yaml) {
  const Result<YamlRef> value = ParseYaml(yaml, "t.yaml");
  return value ? CanonicalYaml(**value) : "error: " + value.error().message();
}

nlohmann::json ReadJson(const Path& path) {
  const Result<std::string> text = ReadFile(path);
  return text ? nlohmann::json::parse(*text) : nlohmann::json();
}

TEST(Canonical, WritesWhatPyYamlWrites) {
  const nlohmann::json cases =
      ReadJson(Path(FX_SOURCE_DIR) / "tests/unit/plan/testdata/pyyaml_dump.json");
  std::size_t compared = 0;
  for (const nlohmann::json& one : cases) {
    const bool bytes = one["yaml"].get<std::string>().find("!!binary") != std::string::npos;
    if (bytes || !one.contains("dump")) {
      EXPECT_FALSE(ParseYaml(one["yaml"].get<std::string>(), "t.yaml")) << one["yaml"];
      continue;
    }
    const std::string dump = Dump(one["yaml"].get<std::string>());
    EXPECT_EQ(dump, one["dump"].get<std::string>()) << one["yaml"];
    EXPECT_EQ(Sha384Hex(dump), one["sha384"].get<std::string>());
    ++compared;
  }
  EXPECT_GE(compared, 90U);
}

TEST(Canonical, MeansTheSameWhateverCommentsOrderAndQuotes) {
  EXPECT_EQ(Dump("b: [1, 2]  # two\na: 'x'\n"), Dump("a: x\n\nb:\n  - 1\n  - 2\n"));
  EXPECT_NE(Dump("a: '1'\n"), Dump("a: 1\n"));
}

TEST(Canonical, WritesAValueUsedTwiceAsAnchorAndAlias) {
  EXPECT_EQ(Dump("b: &x [1]\na: *x\nc: &d 2024-01-01\nd: *d\n"),
            "a: &id001\n- 1\nb: *id001\nc: &id002 2024-01-01\nd: *id002\n");
  EXPECT_EQ(Dump("a: &x word\nb: *x\n"), "a: word\nb: word\n");
}

TEST(Canonical, KeepsTheOrderOfKeysPythonCannotCompare) {
  EXPECT_EQ(Dump("b: 1\na: 2\n"), "a: 2\nb: 1\n");
  EXPECT_EQ(Dump("10: x\n2: y\n"), "2: y\n10: x\n");
  EXPECT_EQ(Dump("b: 1\n1: 2\na: 3\n"), "b: 1\n1: 2\na: 3\n");
}

TEST(Canonical, MergesAsYaml11Says) {
  EXPECT_EQ(Dump("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n"),
            "a:\n  x: 1\n  y: 2\nb:\n  x: 1\n  y: 3\n");
  EXPECT_EQ(Dump("a: &a {x: 1}\nb: &b {x: 2, z: 4}\nc: {<<: [*a, *b]}\n"),
            "a:\n  x: 1\nb:\n  x: 2\n  z: 4\nc:\n  x: 1\n  z: 4\n");
}

TEST(Canonical, GivesAPlanWithoutAPortOneInThePrivateRange) {
  EXPECT_EQ(AutomaticPort("00000000"), 49152);
  EXPECT_EQ(AutomaticPort("00002e46ffff"), 49152 + 11846);
  EXPECT_EQ(AutomaticPort("00002e47"), 49152);
}

TEST(Canonical, QuotesATextThatWouldReadAsSomethingElse) {
  EXPECT_EQ(CanonicalScalar("agg.example.org"), "agg.example.org");
  EXPECT_EQ(CanonicalScalar("1"), "'1'");
  EXPECT_EQ(CanonicalScalar("no"), "'no'");
  EXPECT_EQ(CanonicalScalar("::1"), "::1");
}

}  // namespace
}  // namespace fx
