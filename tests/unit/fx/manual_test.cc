// What fx says of itself: completion scripts, the man page, docs/reference/commands.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "core/base/format.h"
#include "fx/manual/completion.h"
#include "fx/manual/facts.h"
#include "fx/manual/pages.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/support/run_command.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using test::IsOk;
using test::Must;
using test::Ran;
using test::RunCommand;
using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;
using testing::UnorderedElementsAre;

class Manual : public test::VerbTest {
 protected:
  // What bash offers after these words, the last of which is being typed.
  std::vector<std::string> Offered(const std::vector<std::string>& words) {
    EXPECT_EQ(Run({"completion", "bash"}), ExitCode::kDone);
    EXPECT_THAT(AtomicWrite("fx.bash", out()), IsOk());
    std::string typed;
    for (const std::string& word : words) typed += " '" + word + "'";
    const Ran ran = RunCommand(
        format("bash -c 'set -u; source fx.bash; COMP_WORDS=(fx{}); COMP_CWORD={}; _fx; printf "
               "\"%s\\n\" \"${{COMPREPLY[@]}}\"'",
               Bare(typed), words.size()));
    EXPECT_EQ(ran.exit_code, 0) << ran.output;
    return Lines(ran.output);
  }
  // What fish offers for the last word of a line, without what it says of it.
  std::vector<std::string> FishOffers(const std::string& line) {
    EXPECT_EQ(Run({"completion", "fish"}), ExitCode::kDone);
    EXPECT_THAT(AtomicWrite("fx.fish", out()), IsOk());
    const Ran ran = RunCommand(
        format("HOME=. fish --no-config -c 'source fx.fish; complete -C \"{}\"' | cut -f 1", line));
    EXPECT_EQ(ran.exit_code, 0) << ran.output;
    return Lines(ran.output);
  }
  // What becomes of lines when Tab is pressed behind them, in one zsh after the other line.
  std::vector<std::string> ZshMakes(const std::vector<std::string>& typed) {
    EXPECT_EQ(Run({"completion", "zsh"}), ExitCode::kDone);
    EXPECT_THAT(AtomicWrite("_fx", out()), IsOk());
    std::string command =
        format("HOME=. timeout 60 zsh -f {}/tests/unit/fx/complete.zsh \"$PWD\"", FX_SOURCE_DIR);
    for (const std::string& line : typed) command += format(" '{}'", line);
    const Ran ran = RunCommand(command);
    EXPECT_EQ(ran.exit_code, 0) << ran.output;
    return Lines(ran.output);
  }
  static bool IsInstalled(const std::string& shell) {
    return RunCommand("command -v " + shell).exit_code == 0;
  }

 private:
  static std::vector<std::string> Lines(const std::string& text) {
    std::vector<std::string> all;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) all.push_back(line);
    return all;
  }
  // The line above is in single quotes already.
  static std::string Bare(std::string text) {
    std::ranges::replace(text, '\'', '"');
    return text;
  }
};

TEST_F(Manual, BashOffersNounsVerbsAndOptions) {
  EXPECT_THAT(Offered({""}), IsSupersetOf({"aggregator", "plan", "workspace", "--version"}));
  EXPECT_THAT(Offered({"pl"}), UnorderedElementsAre("plan"));
  EXPECT_THAT(Offered({"plan", "s"}), UnorderedElementsAre("save", "set", "switch"));
  EXPECT_THAT(Offered({"plan", "initialize", "--agg"}),
              UnorderedElementsAre("--aggregator_address"));
  EXPECT_THAT(Offered({"status", "--j"}), UnorderedElementsAre("--json"));
}

TEST_F(Manual, BashLooksPastTheLogLevelAndOptionsThatAreThere) {
  EXPECT_THAT(Offered({"-l", "plan", "workspace", "cr"}), UnorderedElementsAre("create"));
  EXPECT_THAT(Offered({"plan", "save", "-n", "x", "--na"}), UnorderedElementsAre("--name"));
}

TEST_F(Manual, FishOffersNounsVerbsAndOptions) {
  if (!IsInstalled("fish")) GTEST_SKIP() << "fish is not installed";
  EXPECT_THAT(FishOffers("fx "), IsSupersetOf({"aggregator", "plan", "workspace"}));
  EXPECT_THAT(FishOffers("fx --v"), UnorderedElementsAre("--version"));
  EXPECT_THAT(FishOffers("fx pl"), UnorderedElementsAre("plan"));
  EXPECT_THAT(FishOffers("fx plan s"), UnorderedElementsAre("save", "set", "switch"));
  EXPECT_THAT(FishOffers("fx plan initialize --agg"), UnorderedElementsAre("--aggregator_address"));
  EXPECT_THAT(FishOffers("fx status --j"), UnorderedElementsAre("--json"));
}

TEST_F(Manual, FishLooksPastTheLogLevelAndOptionsThatAreThere) {
  if (!IsInstalled("fish")) GTEST_SKIP() << "fish is not installed";
  EXPECT_THAT(FishOffers("fx -l plan workspace cr"), UnorderedElementsAre("create"));
  EXPECT_THAT(FishOffers("fx --no-warnings pl"), UnorderedElementsAre("plan"));
  EXPECT_THAT(FishOffers("fx plan save -n x --na"), UnorderedElementsAre("--name"));
  EXPECT_THAT(FishOffers("fx collaborator start -n plan s"), Not(Contains("switch")));
}

TEST_F(Manual, ZshCompletesFromTheFirstTabOn) {
  if (!IsInstalled("zsh")) GTEST_SKIP() << "zsh is not installed";
  EXPECT_THAT(ZshMakes({"fx pl", "fx plan se", "fx plan initialize --agg", "fx status --j",
                        "fx -l plan workspace cr", "fx plan save -n x --na", "fx workspace q"}),
              testing::ElementsAre("<fx plan >", "<fx plan set >",
                                   "<fx plan initialize --aggregator_address >",
                                   "<fx status --json >", "<fx -l plan workspace create >",
                                   "<fx plan save -n x --name >", "<fx workspace q>"));
}

TEST_F(Manual, EveryShellKnowsEveryCommand) {
  const std::vector<CommandFacts> facts = FactsOf(AllCommands());
  ASSERT_GT(facts.size(), 20U);
  for (const std::string& script :
       {BashCompletion(facts), ZshCompletion(facts), FishCompletion(facts)}) {
    for (const CommandFacts& command : facts) {
      EXPECT_THAT(script, HasSubstr(command.verb.empty() ? command.noun : command.verb));
    }
  }
}

TEST_F(Manual, CompletionIsRefusedForAShellThatIsNotKnown) {
  EXPECT_EQ(Run({"completion", "tcsh"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("the shells are bash, zsh and fish"));
}

TEST_F(Manual, FactsAreThoseOfTheHelp) {
  for (const CommandFacts& command : FactsOf(AllCommands())) {
    std::vector<std::string> words{command.noun};
    if (!command.verb.empty()) words.push_back(command.verb);
    words.emplace_back("--help");
    ASSERT_EQ(Run(words), ExitCode::kDone);
    for (const OptionFacts& option : command.options) {
      for (const std::string& name : option.names) {
        EXPECT_THAT(out(), HasSubstr(name)) << command.words();
      }
    }
  }
}

TEST_F(Manual, ManPageIsCleanTroff) {
  EXPECT_EQ(Run({"man"}), ExitCode::kDone);
  const std::string page = out();
  EXPECT_THAT(page, HasSubstr(".SS fx plan freeze\n"));
  EXPECT_THAT(page, HasSubstr(".SH EXIT STATUS\n"));
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_THAT(line, Not(testing::ContainsRegex("[^\\]-"))) << "a hyphen that cannot be copied";
    if (!line.starts_with('.')) continue;
    EXPECT_THAT(line, testing::ContainsRegex("^\\.([A-Z]+|nf|fi|.\")"));
  }
  ASSERT_THAT(AtomicWrite("fx.1", page), IsOk());
  const Ran ran = RunCommand(
      "for judge in 'mandoc -T lint -W warning' 'man --warnings -E UTF-8 -l -Tutf8 -Z'; do "
      "command -v ${judge%% *} >/dev/null || continue; "
      "complaints=$($judge fx.1 2>&1 >/dev/null) && [ -z \"$complaints\" ] || "
      "{ echo \"$complaints\"; exit 1; }; done");
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
}

TEST_F(Manual, ReferenceInTheRepositoryIsThatOfThisProgram) {
  EXPECT_EQ(Run({"man", "--markdown"}), ExitCode::kDone);
  EXPECT_EQ(Must(ReadFile(Path(FX_SOURCE_DIR) / "docs/reference/commands.md")), out())
      << "make it again: fx man --markdown > docs/reference/commands.md";
}

TEST_F(Manual, KeysOfPlansInTheRepositoryAreThoseOfThisProgram) {
  EXPECT_EQ(Run({"man", "--plan"}), ExitCode::kDone);
  EXPECT_EQ(Must(ReadFile(Path(FX_SOURCE_DIR) / "docs/reference/plan-keys.md")), out())
      << "make it again: fx man --plan > docs/reference/plan-keys.md";
}

TEST_F(Manual, ExitCodesAreThoseOfTheirPage) {
  EXPECT_EQ(Run({"man"}), ExitCode::kDone);
  const std::string page = Must(ReadFile(Path(FX_SOURCE_DIR) / "docs/reference/exit-codes.md"));
  for (int code = 0; code <= 5; ++code) {
    EXPECT_THAT(out(), HasSubstr(format("\\fB{}\\fR", code)));
    EXPECT_THAT(page, HasSubstr(format("| {} |", code)));
  }
}

}  // namespace
}  // namespace fx
