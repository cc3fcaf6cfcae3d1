#include "fx/manual/pages.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/base/format.h"

namespace fx {
namespace {

// docs/reference/exit-codes.md says more; fx/app.h has the numbers.
constexpr std::array<std::pair<int, std::string_view>, 6> kExitCodes{{
    {0, "Done."},
    {1, "It could not be done; the error says why and what helps."},
    {2, "The command line itself is wrong; nothing was done."},
    {3, "A person or a signal stopped it."},
    {4, "A certificate, a name or a permission was refused."},
    {5, "The other side cannot be reached; trying again may help."},
}};

constexpr std::string_view kTableHead =
    "| option | value | default | meaning |\n|---|---|---|---|\n";

struct Word {
  std::string_view name;
  std::string_view meaning;
};

constexpr std::array<Word, 4> kEnvironment{{
    {"FQDN", "The name of this machine, where the plan's agg_addr is auto."},
    {"LOG_FILE", "A file that log lines are appended to as well."},
    {"FX_LOG_FORMAT", "What --log-format is where it is not given."},
    {"FX_PROGRESS", "1: show how far training is even where there is no terminal."},
}};

constexpr std::array<Word, 7> kFiles{{
    {"plan/plan.yaml", "What the federation does; docs/reference/plan-keys.md has every key."},
    {"plan/cols.yaml", "Who may take part."},
    {"plan/data.yaml", "Where the data of this machine's sites lie."},
    {"plan/plans/NAME/plan.yaml", "Plans kept by fx plan save."},
    {"cert/", "Keys and certificates."},
    {"save/", "The first, the best and the last model."},
    {"logs/", "Metrics, and what must survive a crash."},
}};

std::string ValueName(const OptionFacts& option) {
  switch (option.kind) {
    case OptionKind::kNumber:
      return "NUMBER";
    case OptionKind::kFile:
      return "FILE";
    case OptionKind::kText:
      return "TEXT";
    case OptionKind::kSwitch:
      return "";
  }
  return "";
}

// Text in which troff sees nothing of its own.
std::string Troff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  if (out.starts_with('.') || out.starts_with('\'')) out.insert(0, "\\&");
  return out;
}

std::string TroffOption(const OptionFacts& option) {
  std::string line;
  for (const std::string& name : option.names) {
    line += (line.empty() ? "" : ", ") + format("\\fB{}\\fR", Troff(name));
  }
  if (!option.by_place() && option.kind != OptionKind::kSwitch) {
    line += format(" \\fI{}\\fR", ValueName(option));
  }
  std::string text = format(".TP\n{}\n{}", line, Troff(option.help));
  if (option.required) text += " (needed)";
  if (!option.default_value.empty()) text += format(" [{}]", Troff(option.default_value));
  return text + "\n";
}

std::string TroffCommand(const CommandFacts& c) {
  std::string text = format(".SS fx {}\n{}.\n", Troff(c.words()), Troff(c.summary));
  for (const OptionFacts& option : c.options) text += TroffOption(option);
  return text + format(".PP\nExample:\n.PP\n.RS\n.nf\n{}\n.fi\n.RE\n", Troff(c.example));
}

template <typename Range>
std::string TroffList(std::string_view title, const Range& entries) {
  std::string text = format(".SH {}\n", title);
  for (const auto& [name, meaning] : entries) {
    text += format(".TP\n\\fB{}\\fR\n{}\n", Troff(format("{}", name)), Troff(std::string(meaning)));
  }
  return text;
}

std::string MarkdownOption(const OptionFacts& option) {
  std::string names;
  for (const std::string& name : option.names) {
    names += (names.empty() ? "`" : ", `") + name + "`";
  }
  std::string help = option.help;
  for (std::size_t at = 0; (at = help.find('|', at)) != std::string::npos; at += 2) {
    help.insert(at, "\\");
  }
  std::string without = option.required ? "needed" : "";
  if (!option.default_value.empty()) without = "`" + option.default_value + "`";
  return format("| {} | {} | {} | {} |\n", names, ValueName(option), without, help);
}

std::string MarkdownCommand(const CommandFacts& c) {
  std::string text =
      format("### fx {}\n\n{}.\n\n```\n{}\n```\n\n", c.words(), c.summary, c.example);
  std::string options;
  for (const OptionFacts& option : c.options) {
    const std::string& name = option.names.back();
    if (name == "--help" || name == "--log-level" || name == "--log-format") continue;
    options += MarkdownOption(option);
  }
  return options.empty() ? text : text + std::string(kTableHead) + options + "\n";
}

}  // namespace

std::string ManPage(std::span<const CommandFacts> commands, const std::string& version) {
  std::string text = format(
      ".\\\" made by `fx man`\n"
      ".TH FX 1 \"\" \"fx {}\" \"User Commands\"\n"
      ".SH NAME\nfx \\- several sites train one model; their data stays where it is\n"
      ".SH SYNOPSIS\n.B fx\n[\\fB\\-l\\fR \\fILEVEL\\fR] \\fINOUN\\fR \\fIVERB\\fR "
      "[\\fIOPTIONS\\fR]\n"
      ".SH DESCRIPTION\n"
      "A federation has one aggregator and several sites. Each works in a folder of its own, the\n"
      "workspace, where all commands are run. The plan in it says what is done.\n"
      ".SH OPTIONS\n",
      Troff(version));
  for (const OptionFacts& option : GlobalOptions()) text += TroffOption(option);
  text += ".SH COMMANDS\n";
  for (const CommandFacts& c : commands) text += TroffCommand(c);
  return text + TroffList("EXIT STATUS", kExitCodes) + TroffList("ENVIRONMENT", kEnvironment) +
         TroffList("FILES", kFiles);
}

std::string MarkdownReference(std::span<const CommandFacts> commands) {
  std::string text =
      "# Commands\n\n"
      "Made by `fx man --markdown`; `fx man` makes the man page, `fx completion` what a shell "
      "needs to\ncomplete these words. Every command ends with ` ✔️ OK`, unless what it shows "
      "is "
      "for programs, or\nsays what is wrong and what helps ([exit codes](exit-codes.md)). Options "
      "that name the plan,\n`cols.yaml` or `data.yaml` take files of the workspace only.\n\n"
      "Before the noun; `-l`, `--log-format` and `-h` also behind any command:\n\n";
  text += kTableHead;
  for (const OptionFacts& option : GlobalOptions()) text += MarkdownOption(option);
  std::string noun;
  for (const CommandFacts& c : commands) {
    if (c.noun != noun) text += format("{}## {}\n\n", noun.empty() ? "\n" : "", c.noun);
    noun = c.noun;
    text += MarkdownCommand(c);
  }
  text.pop_back();
  return text;
}

}  // namespace fx
