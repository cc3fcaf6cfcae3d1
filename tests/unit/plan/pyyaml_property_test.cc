// The canonical text against the judge it imitates: Debian's python3-yaml, on random documents.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/random.h"
#include "plan/canonical.h"
#include "plan/yaml_value.h"
#include "tests/support/run_command.h"

namespace fx {
namespace {

constexpr int kDocuments = 1000;

// Draws documents that are valid YAML by construction: what varies is meaning, style and width.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed, "pyyaml") {}

  std::string Document() {
    out_.clear();
    closed_.clear();
    const std::uint64_t kind = random_.Below(10);
    if (kind == 0) return Scalar() + "\n";
    if (kind < 3)
      Sequence(0, 4);
    else
      Mapping(0, 4);
    return out_;
  }

 private:
  std::string Pad(int indent) const { return std::string(static_cast<std::size_t>(indent), ' '); }

  void Mapping(int indent, int depth) {
    const std::uint64_t count = 1 + random_.Below(4);
    const bool typed = random_.Below(8) == 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string key = typed ? TypedKey(i) : format("{}{}", Word(), i);
      out_ += Pad(indent) + (random_.Below(4) == 0 && !typed ? Quoted(key) : key) + ":";
      Value(indent, depth);
    }
  }

  std::string TypedKey(std::uint64_t i) {
    const std::vector<std::string> keys = {"7", "2.5", "true", "null", "0x10", "-3", "k", "1e3"};
    return keys[(random_.Below(2) * 4 + i) % keys.size()];
  }

  void Sequence(int indent, int depth) {
    const std::uint64_t count = 1 + random_.Below(4);
    for (std::uint64_t i = 0; i < count; ++i) {
      out_ += Pad(indent) + "-";
      Value(indent, depth);
    }
  }

  // What follows a ":" or "-", with its line feed.
  void Value(int indent, int depth) {
    const std::uint64_t kind = random_.Below(depth > 0 ? 12 : 6);
    if (kind < 5) {
      out_ += " " + Scalar() + "\n";
    } else if (kind == 5) {
      out_ += random_.Below(2) == 0 ? " []\n" : " {}\n";
    } else if (kind == 6 && !closed_.empty()) {
      out_ += format(" *a{}\n", closed_[random_.Below(closed_.size())]);
    } else if (kind == 7) {
      out_ += " [" + Scalar() + ", {x: " + Scalar() + "}]\n";
    } else {
      const bool anchored = random_.Below(3) == 0;
      const int id = anchors_++;
      out_ += anchored ? format(" &a{}\n", id) : std::string("\n");
      if (random_.Below(2) == 0)
        Mapping(indent + 2, depth - 1);
      else
        Sequence(indent + 2, depth - 1);
      if (anchored) closed_.push_back(id);
    }
  }

  std::string Word() {
    std::string word;
    const std::uint64_t size = 1 + random_.Below(random_.Below(20) == 0 ? 140 : 8);
    for (std::uint64_t i = 0; i < size; ++i) {
      word += static_cast<char>('a' + random_.Below(26));
    }
    return word;
  }

  std::string Scalar() {
    switch (random_.Below(6)) {
      case 0:
        return Number();
      case 1:
        return Tricky();
      case 2:
        return Quoted(Text());
      case 3:
        return DoubleQuoted();
      case 4:
        return Sentence();
      default:
        return Word();
    }
  }

  std::string Number() {
    std::string text;
    const std::string_view letters = "0123456789..__eE+-:xb";
    text += static_cast<char>('0' + random_.Below(10));
    const std::uint64_t size = random_.Below(8);
    for (std::uint64_t i = 0; i < size; ++i) text += letters[random_.Below(letters.size())];
    return text.back() == ':' ? text + "1" : text;
  }

  std::string Tricky() {
    const std::vector<std::string> words = {"yes",
                                            "No",
                                            "on",
                                            "OFF",
                                            "y",
                                            "~",
                                            "null",
                                            "NULL",
                                            "1e-4",
                                            "1.0e-4",
                                            "017",
                                            "08",
                                            "1:30",
                                            "1:30.5",
                                            ".inf",
                                            "-.INF",
                                            ".nan",
                                            "0x1F",
                                            "0b11",
                                            "+12",
                                            "1_000",
                                            "5.",
                                            ".5",
                                            "-.5",
                                            "2024-02-29",
                                            "true",
                                            "2024-01-01T10:00:00Z",
                                            "1e400",
                                            "1.0e+400",
                                            "1.0e-400",
                                            "2024-01-01 10:00:00.123456789 +05:30",
                                            "123456789012345678",
                                            "0.1",
                                            "1.0e+16",
                                            "123456789012345680.0",
                                            "-0.0",
                                            "-0",
                                            "0o17",
                                            "1.5e300",
                                            "9007199254740993.0"};
    return words[random_.Below(words.size())];
  }

  std::string Sentence() {
    std::string text = Word();
    const std::uint64_t size = random_.Below(25);
    for (std::uint64_t i = 0; i < size; ++i) text += " " + Word();
    return text;
  }

  std::string Text() {
    const std::string_view letters = "aaabbb   '\"#:-?,[]{}&*!|>%@`=.~19";
    std::string text;
    const std::uint64_t size = random_.Below(random_.Below(4) == 0 ? 200 : 12);
    for (std::uint64_t i = 0; i < size; ++i) text += letters[random_.Below(letters.size())];
    return text;
  }

  static std::string Quoted(const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
    return quoted + "'";
  }

  std::string DoubleQuoted() {
    const std::vector<std::string> parts = {
        "a",   "b",   " ",   " ",   "\\n",         "\\t",   "\\\\", "\\\"",
        "\\0", "\\N", "\\_", "\\L", "\\x07",       "\\xE9", "\\e",  "\\u4E2D",
        "'",   "#",   ": ",  "- ",  "\\U0001F600", "x",     "y",    "\\uFEFF"};
    std::string text = "\"";
    const std::uint64_t size = random_.Below(random_.Below(4) == 0 ? 120 : 10);
    const std::uint64_t variety = random_.Below(2) == 0 ? parts.size() : 5;
    for (std::uint64_t i = 0; i < size; ++i) text += parts[random_.Below(variety)];
    return text + "\"";
  }

  RandomStream random_;
  std::string out_;
  int anchors_ = 0;
  std::vector<int> closed_;  // anchors whose values are complete, so that an alias may follow
};

std::vector<nlohmann::json> AskPython(const std::vector<std::string>& documents) {
  const TempDir folder;
  const Path in = folder.path() / "in", out = folder.path() / "out";
  std::ofstream lines(in);
  for (const std::string& document : documents) lines << nlohmann::json(document).dump() << "\n";
  lines.close();
  const std::string command =
      format("/usr/bin/python3 '{}/tests/unit/plan/pyyaml_dump.py' '{}' '{}'", FX_SOURCE_DIR,
             in.string(), out.string());
  const test::Ran ran = test::RunCommand(command);
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  std::ifstream answers(out);
  std::vector<nlohmann::json> parsed;
  for (std::string line; std::getline(answers, line);)
    parsed.push_back(nlohmann::json::parse(line));
  return parsed;
}

TEST(CanonicalProperty, IsWhatPyYamlWritesOfRandomDocuments) {
  Generator generator(20240);
  std::vector<std::string> documents;
  for (int i = 0; i < kDocuments; ++i) documents.push_back(generator.Document());
  const std::vector<nlohmann::json> answers = AskPython(documents);
  ASSERT_EQ(answers.size(), documents.size());
  int compared = 0;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const Result<YamlRef> ours = ParseYaml(documents[i], "t.yaml");
    ASSERT_EQ(ours.has_value(), !answers[i].is_null()) << documents[i];
    if (!ours) continue;
    ASSERT_EQ(CanonicalYaml(**ours), answers[i].get<std::string>()) << documents[i];
    ++compared;
  }
  EXPECT_GT(compared, kDocuments * 9 / 10);
}

// The parts of the template that blank lines set apart.
std::vector<std::string> TemplateSections() {
  std::string rest =
      *ReadFile(Path(FX_SOURCE_DIR) / "workspace_templates/cnn_mnist/plan/plan.yaml");
  std::vector<std::string> sections;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find("\n\n"), rest.size() - 1);
    sections.push_back(rest.substr(0, end + 1));
    rest.erase(0, end + 2);
  }
  return sections;
}

// The parsers differ in what broken text they accept; where both do, they must mean the same.
TEST(CanonicalProperty, IsWhatPyYamlWritesOfDamagedPlansThatBothRead) {
  constexpr std::string_view kLetters = "ab1 :-#,[]{}'\"\n&*!|>%@?~.";
  RandomStream random(7, "damage");
  const std::vector<std::string> sections = TemplateSections();
  std::vector<std::string> documents;
  for (int i = 0; i < kDocuments; ++i) {
    std::string damaged = sections[random.Below(sections.size())];
    for (std::uint64_t edits = 1 + random.Below(2); edits > 0; --edits) {
      damaged[random.Below(damaged.size())] = kLetters[random.Below(kLetters.size())];
    }
    documents.push_back(std::move(damaged));
  }
  const std::vector<nlohmann::json> answers = AskPython(documents);
  ASSERT_EQ(answers.size(), documents.size());
  int compared = 0;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const Result<YamlRef> ours = ParseYaml(documents[i], "t.yaml");
    if (!ours || answers[i].is_null()) continue;
    EXPECT_EQ(CanonicalYaml(**ours), answers[i].get<std::string>()) << documents[i];
    ++compared;
  }
  EXPECT_GT(compared, kDocuments / 2);
}

}  // namespace
}  // namespace fx
