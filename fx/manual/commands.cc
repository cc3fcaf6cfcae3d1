#include "fx/manual/commands.h"

#include <string>
#include <vector>

#include "core/base/format.h"
#include "fx/commands.h"
#include "fx/manual/completion.h"
#include "fx/manual/facts.h"
#include "fx/manual/pages.h"
#include "plan/reference/plan_keys.h"

namespace fx {
namespace {

class CompletionCommand : public Command {
 public:
  std::string_view noun() const override { return "completion"; }
  std::string_view verb() const override { return ""; }
  std::string_view summary() const override {
    return "Write what bash, zsh or fish needs to complete the words after fx";
  }
  std::string_view example() const override {
    return "fx completion bash > ~/.local/share/bash-completion/completions/fx";
  }
  void Declare(Flags& flags) override { flags.RequiredText("SHELL", &shell_, "bash, zsh or fish"); }
  bool for_programs() const override { return true; }

  Status Run(Io& io) override {
    const std::vector<CommandFacts> facts = FactsOf(AllCommands());
    if (shell_ == "bash") {
      io.out << BashCompletion(facts);
    } else if (shell_ == "zsh") {
      io.out << ZshCompletion(facts);
    } else if (shell_ == "fish") {
      io.out << FishCompletion(facts);
    } else {
      return Fail(
          Error(ErrorCode::kInvalidArgument, format("there is no completion for \"{}\"", shell_))
              .Hint("the shells are bash, zsh and fish"));
    }
    return Ok();
  }

 private:
  std::string shell_;
};

class ManCommand : public Command {
 public:
  std::string_view noun() const override { return "man"; }
  std::string_view verb() const override { return ""; }
  std::string_view summary() const override { return "Write the man page of fx"; }
  std::string_view example() const override { return "fx man > ~/.local/share/man/man1/fx.1"; }
  void Declare(Flags& flags) override {
    flags.Switch("--markdown", &markdown_, "Write docs/reference/commands.md instead");
    flags.Switch("--plan", &plan_,
                 "Write docs/reference/plan-keys.md instead: every key of a plan");
  }
  bool for_programs() const override { return true; }

  Status Run(Io& io) override {
    if (plan_) {
      io.out << PlanKeysPage();
      return Ok();
    }
    const std::vector<CommandFacts> facts = FactsOf(AllCommands());
    io.out << (markdown_ ? MarkdownReference(facts) : ManPage(facts, FX_VERSION));
    return Ok();
  }

 private:
  bool markdown_ = false;
  bool plan_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeCompletion() {
  return std::make_unique<CompletionCommand>();
}

std::unique_ptr<Command> MakeMan() {
  return std::make_unique<ManCommand>();
}

}  // namespace fx
