#include "plan/yaml_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fx {
namespace {

std::string Complaint(std::string_view text) {
  const Result<YamlRef> value = ParseYaml(text, "t.yaml");
  return value ? "none" : value.error().message();
}

TEST(ParseYaml, RemembersLinesAndOffsets) {
  const YamlRef root = *ParseYaml("# c\na:\n  b: [1,\n    2]\n", "t.yaml");
  const YamlRef list = root->Find("a")->Find("b");
  EXPECT_EQ(list->line, 3);
  EXPECT_EQ(list->items[1]->line, 4);
  EXPECT_EQ(list->items[1]->offset, 20U);
  EXPECT_EQ(*list->file, "t.yaml");
}

TEST(ParseYaml, ReadsAnEmptyTextAsNothing) {
  EXPECT_TRUE((*ParseYaml("", "t.yaml"))->is_null());
  EXPECT_TRUE((*ParseYaml("# only this\n", "t.yaml"))->is_null());
}

TEST(ParseYaml, KeepsTheIdentityOfAnAlias) {
  const YamlRef root = *ParseYaml("a: &x [1]\nb: *x\n", "t.yaml");
  EXPECT_EQ(root->Find("a"), root->Find("b"));
}

TEST(ParseYaml, SaysWhereASyntaxErrorIs) {
  EXPECT_EQ(Complaint("a: 1\nb: [1, 2\nc: 3\n").substr(0, 23), "t.yaml:3: not valid YAM");
  EXPECT_EQ(Complaint("a: *nobody\n").substr(0, 23), "t.yaml:1: not valid YAM");
}

TEST(ParseYaml, NamesBothLinesOfADuplicateKey) {
  EXPECT_EQ(Complaint("a:\n  b: 1\n  c: 2\n  b: 3\n"),
            "t.yaml:4: a.b is given twice, first on line 2; keep one of the two");
}

TEST(ParseYaml, TakesKeysForTheSameThatPythonDoes) {
  EXPECT_EQ(Complaint("1: x\ntrue: y\n"),
            "t.yaml:2: true is given twice, first on line 1; keep one of the two");
  EXPECT_EQ(Complaint("1: x\n'1': y\n"), "none");
}

TEST(ParseYaml, TellsAllComplaintsAtOnce) {
  EXPECT_EQ(
      Complaint("a: 2023-02-30\nb: !odd x\na: 1\n"),
      "t.yaml:1: a: 2023-02-30 looks like a date but is none; if it is text, put it in quotes\n"
      "           t.yaml:2: b: the tag !odd is unknown; write the value without it\n"
      "           t.yaml:3: a is given twice, first on line 1; keep one of the two");
}

TEST(ParseYaml, RefusesASecondDocument) {
  EXPECT_EQ(Complaint("a: 1\n---\nb: 2\n"),
            "t.yaml:3: a second document begins here, expected one (remove the ---)");
}

TEST(ParseYaml, RefusesAnAnchorDefinedTwice) {
  EXPECT_EQ(Complaint("a: &x 1\nb: &x 2\n"),
            "t.yaml:2: the anchor &x is defined twice, first on line 1; give it another name");
}

TEST(ParseYaml, RefusesAnAnchorNameThatParsersReadDifferently) {
  EXPECT_EQ(Complaint("{&x: y}\n"),
            "t.yaml:1: the anchor &x: may only have letters, digits, - and _");
}

TEST(ParseYaml, RefusesAValueThatContainsItself) {
  EXPECT_EQ(
      Complaint("a: &x [1, *x]\n"),
      "t.yaml:1: an alias (*) refers to a value that contains it; write the value out instead");
}

TEST(ParseYaml, RefusesAKeyThatIsNoName) {
  EXPECT_EQ(Complaint("? [1, 2]\n: 3\n"),
            "t.yaml:1: the document: a key is a list, expected a name");
}

TEST(ParseYaml, RefusesAMergeOfWhatIsNoMapping) {
  EXPECT_EQ(Complaint("a:\n  <<: 3\n"),
            "t.yaml:2: a: << merges 3, expected a mapping or a list of mappings");
}

TEST(ParseYaml, RefusesAFileThatIsTooLarge) {
  EXPECT_EQ(Complaint(std::string(kMaxYamlBytes + 1, '#')),
            "t.yaml:1: the file has 1048577 bytes, expected at most 1048576");
}

TEST(ParseYaml, RefusesWhatIsNested) {
  EXPECT_EQ(Complaint(std::string(kMaxYamlDepth, '[') + std::string(kMaxYamlDepth, ']')), "none");
  EXPECT_EQ(Complaint(std::string(kMaxYamlDepth + 1, '[') + std::string(kMaxYamlDepth + 1, ']')),
            "t.yaml:1: values are nested more than 64 deep");
  EXPECT_NE(Complaint(std::string(100'000, '[')), "none");
  EXPECT_NE(Complaint(std::string(100'000, '{')), "none");
}

TEST(ParseYaml, RefusesAnAliasBomb) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string inner = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + inner;
    for (int n = 0; n < 9; ++n) bomb += ", " + inner;
    bomb += "]\n";
  }
  EXPECT_EQ(Complaint(bomb),
            "t.yaml:5: the document holds more than 100000 values with its aliases written out");
}

TEST(ParseYaml, RefusesAMergeBomb) {
  std::string bomb = "big: &b {";
  for (int i = 0; i < 1000; ++i) bomb += "k" + std::to_string(i) + ": 1, ";
  bomb += "}\nall:\n";
  for (int i = 0; i < 200; ++i) bomb += "- {<<: *b}\n";
  EXPECT_EQ(Complaint(bomb).substr(0, 60),
            "t.yaml:1: merge keys (<<) copy more than 100000 values");
}

TEST(ParseYaml, RefusesBytesThatAreNoText) {
  EXPECT_EQ(
      Complaint("a: 1\nb: \xFF\n"),
      "t.yaml:2: byte 0xFF is no character of a text file in UTF-8; save the file as UTF-8 text "
      "and remove control characters");
  for (const char* bytes :
       {"\x01", "\xC0\xAF", "\xE2\x80\xA8", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xC3"}) {
    EXPECT_NE(Complaint(bytes), "none");
  }
}

TEST(ParseYaml, ReadsUtf8ByteOrderMarksAndCarriageReturns) {
  const YamlRef root = *ParseYaml(
      "\xEF\xBB\xBF"
      "a: h\xC3\xB4pital\r\nb: 1\r\n",
      "t.yaml");
  EXPECT_EQ(root->Find("a")->scalar.text, "h\xC3\xB4pital");
  EXPECT_EQ(root->Find("b")->line, 2);
}

TEST(Describe, NamesAValueInAComplaint) {
  const YamlRef root = *ParseYaml("[1.40, yes, 'x', [], [1], {}, {a: 1}, ~]", "t.yaml");
  std::vector<std::string> words;
  for (const YamlRef& item : root->items) words.push_back(Describe(*item));
  EXPECT_THAT(words, ::testing::ElementsAre("1.40", "yes", "\"x\"", "an empty list", "a list",
                                            "an empty mapping", "a mapping", "nothing"));
}

}  // namespace
}  // namespace fx
