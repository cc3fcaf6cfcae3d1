#include "fx/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "fx/commands.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// What the fake verb was given, and what it shall answer.
struct Seen {
  std::string fqdn = "localhost";
  std::string name;
  std::int64_t count = 3;
  bool silent = false;
  bool ran = false;
  std::optional<Error> answer;
};

class FakeCommand : public Command {
 public:
  FakeCommand(std::string noun, std::string verb, Seen* seen)
      : noun_(std::move(noun)), verb_(std::move(verb)), seen_(seen) {}

  std::string_view noun() const override { return noun_; }
  std::string_view verb() const override { return verb_; }
  std::string_view summary() const override { return "Do what a fake does"; }
  std::string_view example() const override { return "fx robot dance -n bob"; }
  void Declare(Flags& flags) override {
    flags.Text("--fqdn", &seen_->fqdn, "A name");
    flags.RequiredText("-n,--name", &seen_->name, "Another name");
    flags.Number("-c,--count", &seen_->count, "A number");
    flags.Switch("-s,--silent", &seen_->silent, "Ask nothing");
  }
  Status Run(Io& io) override {
    seen_->ran = true;
    io.out << "dancing\n";
    if (seen_->answer) return Fail(*seen_->answer);
    return Ok();
  }

 private:
  std::string noun_, verb_;
  Seen* seen_;
};

class App : public testing::Test {
 protected:
  ExitCode Run(std::vector<std::string> arguments) {
    std::vector<std::unique_ptr<Command>> commands;
    commands.push_back(std::make_unique<FakeCommand>("robot", "dance", &seen_));
    commands.push_back(std::make_unique<FakeCommand>("robot", "sing", &seen_));
    commands.push_back(std::make_unique<FakeCommand>("garden", "water", &seen_));
    return RunApp(arguments, commands, io_.io);
  }
  std::string out() const { return io_.out.str(); }
  std::string err() const { return io_.err.str(); }

  Seen seen_;
  test::TestIo io_;
};

TEST_F(App, EndsASuccessWithOk) {
  EXPECT_EQ(Run({"robot", "dance", "-n", "bob"}), ExitCode::kDone);
  EXPECT_EQ(out(), "dancing\n\n ✔️ OK\n");
  EXPECT_THAT(err(), IsEmpty());
}

TEST_F(App, ParsesLongAndShortOptions) {
  Run({"robot", "dance", "--name", "bob", "-s", "--count=7", "--fqdn", "agg.example.org"});
  EXPECT_EQ(seen_.name, "bob");
  EXPECT_EQ(seen_.fqdn, "agg.example.org");
  EXPECT_EQ(seen_.count, 7);
  EXPECT_TRUE(seen_.silent);
}

TEST_F(App, KeepsDefaultsOfOptionsThatAreNotGiven) {
  Run({"robot", "dance", "-n", "bob"});
  EXPECT_EQ(seen_.fqdn, "localhost");
  EXPECT_EQ(seen_.count, 3);
  EXPECT_FALSE(seen_.silent);
}

TEST_F(App, TakesTheLastOfAnOptionThatIsGivenTwice) {
  EXPECT_EQ(Run({"robot", "dance", "-n", "bob", "-s", "--name", "eve", "-s"}), ExitCode::kDone);
  EXPECT_EQ(seen_.name, "eve");
  EXPECT_TRUE(seen_.silent);
}

TEST_F(App, ShowsAnErrorWithItsReasonsAndItsHintOnStandardError) {
  seen_.answer = Error(ErrorCode::kNotFound, "the floor is missing")
                     .In("cannot dance")
                     .Hint("look below the carpet");
  EXPECT_EQ(Run({"robot", "dance", "-n", "bob"}), ExitCode::kFailed);
  EXPECT_EQ(err(),
            "error: cannot dance\n  because: the floor is missing\n"
            "  hint: look below the carpet\n\n ❌ :(\n");
  EXPECT_EQ(out(), "dancing\n");
}

TEST(ExitCodes, TellCancelledUnauthorisedAndUnavailableApart) {
  const auto code = [](ErrorCode c) { return ExitCodeOf(Error(c, "")); };
  EXPECT_EQ(code(ErrorCode::kCancelled), ExitCode::kCancelled);
  EXPECT_EQ(code(ErrorCode::kPermissionDenied), ExitCode::kNotAuthorised);
  EXPECT_EQ(code(ErrorCode::kUnauthenticated), ExitCode::kNotAuthorised);
  EXPECT_EQ(code(ErrorCode::kUnavailable), ExitCode::kUnavailable);
  EXPECT_EQ(code(ErrorCode::kInvalidArgument), ExitCode::kFailed);
  EXPECT_EQ(code(ErrorCode::kInternal), ExitCode::kFailed);
}

TEST_F(App, ShowsTheMapOfCommandsWithoutArguments) {
  EXPECT_EQ(Run({}), ExitCode::kDone);
  EXPECT_THAT(out(), HasSubstr("  robot dance   Do what a fake does\n"));
  EXPECT_THAT(out(), HasSubstr("  garden water  Do what a fake does\n"));
  EXPECT_THAT(out(), Not(HasSubstr("OK")));
}

TEST_F(App, ShowsTheVerbsOfANoun) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"robot"}, {"robot", "--help"}}) {
    io_.out.str("");
    EXPECT_EQ(Run(words), ExitCode::kDone);
    EXPECT_THAT(out(), HasSubstr("robot sing"));
    EXPECT_THAT(out(), Not(HasSubstr("garden")));
  }
}

TEST_F(App, ShowsOptionsDefaultsAndAnExampleInTheHelpOfAVerb) {
  EXPECT_EQ(Run({"robot", "dance", "--help"}), ExitCode::kDone);
  EXPECT_THAT(out(), HasSubstr("--fqdn TEXT=localhost"));
  EXPECT_THAT(out(), HasSubstr("-n,--name TEXT REQUIRED"));
  EXPECT_THAT(out(), HasSubstr("  $ fx robot dance -n bob\n"));
  EXPECT_FALSE(seen_.ran);
}

TEST_F(App, NamesTheNearestNounAndVerb) {
  EXPECT_EQ(Run({"robto", "dance"}), ExitCode::kUsage);
  EXPECT_THAT(err(), StartsWith("error: \"robto\" is not a command of fx\n"));
  EXPECT_THAT(err(), HasSubstr("did you mean \"robot\"?"));
  io_.err.str("");
  EXPECT_EQ(Run({"robot", "dence"}), ExitCode::kUsage);
  EXPECT_THAT(err(), HasSubstr("did you mean \"dance\"?"));
  EXPECT_THAT(err(), EndsWith(" ❌ :(\n"));
}

TEST_F(App, SuggestsNothingForAWordThatIsNearNone) {
  EXPECT_EQ(Run({"xylophone"}), ExitCode::kUsage);
  EXPECT_THAT(err(), Not(HasSubstr("did you mean")));
  EXPECT_THAT(err(), HasSubstr("`fx --help` lists them all"));
}

TEST_F(App, NamesTheNearestOptionBeforeItMissesARequiredOne) {
  EXPECT_EQ(Run({"robot", "dance", "--nam", "bob"}), ExitCode::kUsage);
  EXPECT_THAT(err(), HasSubstr("\"--nam\" is not expected here"));
  EXPECT_THAT(err(), HasSubstr("did you mean \"--name\"?"));
  EXPECT_FALSE(seen_.ran);
}

TEST_F(App, RefusesAMissingRequiredOption) {
  EXPECT_EQ(Run({"robot", "dance"}), ExitCode::kUsage);
  EXPECT_THAT(err(), HasSubstr("--name is required"));
  EXPECT_FALSE(seen_.ran);
}

TEST_F(App, RefusesANumberThatIsNone) {
  EXPECT_EQ(Run({"robot", "dance", "-n", "bob", "-c", "many"}), ExitCode::kUsage);
  EXPECT_THAT(err(), HasSubstr("--count"));
  EXPECT_THAT(err(), HasSubstr("many"));
}

TEST_F(App, TakesALogLevelBeforeTheNounOrAfterTheVerb) {
  EXPECT_EQ(Run({"-l", "info", "robot", "dance", "-n", "bob"}), ExitCode::kDone);
  EXPECT_EQ(Run({"robot", "dance", "-n", "bob", "--log-level", "INFO"}), ExitCode::kDone);
  EXPECT_EQ(Run({"-l", "loud", "robot", "dance", "-n", "bob"}), ExitCode::kUsage);
  EXPECT_THAT(err(), HasSubstr("\"loud\" is not a log level"));
}

TEST_F(App, TakesOpenFlsGlobalOption) {
  EXPECT_EQ(Run({"--no-warnings", "robot", "dance", "-n", "bob"}), ExitCode::kDone);
  EXPECT_TRUE(seen_.ran);
}

TEST_F(App, SaysWhatToDoInsteadOfACommandOfOpenFl) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"tutorial", "start", "-port", "8888"},
        {"director", "create-workspace", "-p", "d"},
        {"director"},
        {"envoy", "start", "-n", "env", "-dh", "localhost"},
        {"experimental", "activate"},
        {"workspace", "graminize", "-s", "key"},
        {"pki", "install", "-p", "ca"},
        {"pki", "run", "-p", "ca"},
        {"pki", "uninstall", "-p", "ca"},
        {"pki", "get-token", "-n", "bob"},
        {"pki", "certify", "-n", "bob", "-t", "token"}}) {
    io_.err.str("");
    EXPECT_EQ(RunApp(words, {}, io_.io), ExitCode::kUsage);
    EXPECT_THAT(err(), HasSubstr("has no meaning here: ")) << words[0];
    EXPECT_THAT(err(), HasSubstr("hint: instead: ")) << words[0];
  }
}

TEST_F(App, KnowsNoCommandThatOpenFlHasNotEither) {
  EXPECT_EQ(Run({"pki", "instal"}), ExitCode::kUsage);
  EXPECT_THAT(err(), HasSubstr("\"pki\" is not a command of fx"));
}

TEST_F(App, PrintsItsVersion) {
  EXPECT_EQ(Run({"--version"}), ExitCode::kDone);
  EXPECT_THAT(out(), testing::MatchesRegex("fx [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Commands, HaveUniqueNamesASummaryAndAnExampleOfThemselves) {
  std::set<std::string> names;
  for (const auto& command : AllCommands()) {
    const std::string name = std::string(command->noun()) + " " + std::string(command->verb());
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_THAT(std::string(command->example()) + " ", StartsWith("fx " + name));
    EXPECT_FALSE(command->summary().empty()) << name;
    EXPECT_LE(command->summary().size(), 75U) << name;
  }
  EXPECT_FALSE(names.empty());
}

TEST(Commands, EachShowsItsHelp) {
  for (const auto& command : AllCommands()) {
    test::TestIo io;
    const std::vector<std::string> words{std::string(command->noun()), std::string(command->verb()),
                                         "--help"};
    EXPECT_EQ(RunApp(words, AllCommands(), io.io), ExitCode::kDone);
    EXPECT_THAT(io.out.str(), HasSubstr(std::string(command->example())));
  }
}

}  // namespace
}  // namespace fx
