#include "fx/app.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/format.h"
#include "core/base/log.h"
#include "core/base/nearest.h"
#include "fx/manual/facts.h"
#include "fx/not_here.h"
#include "fx/workspace/scope.h"

namespace fx {
namespace {

// A complaint about the command line itself.
Error Usage(std::string message, std::string hint) {
  return Error(ErrorCode::kInvalidArgument, std::move(message)).Hint(std::move(hint));
}

// Whoever collects log lines from standard error is not to find anything else there.
ExitCode Report(const Error& error, ExitCode code, Io& io) {
  if (CurrentLogFormat() != LogFormat::kAuto) {
    const std::string number = std::to_string(static_cast<int>(code));
    if (error.hint().empty()) {
      LogError(error.OneLine(), {{"exit_code", number}});
    } else {
      LogError(error.OneLine(), {{"exit_code", number}, {"hint", error.hint()}});
    }
    return code;
  }
  io.err << error.Render() << "\n ❌ :(\n" << std::flush;
  return code;
}

Status ApplyLogLevel(const std::string& name) {
  // The last two are OpenFL's.
  static constexpr std::array<std::pair<std::string_view, LogLevel>, 6> kLevels{{
      {"debug", LogLevel::kDebug},
      {"info", LogLevel::kInfo},
      {"warning", LogLevel::kWarning},
      {"error", LogLevel::kError},
      {"metric", LogLevel::kInfo},
      {"critical", LogLevel::kError},
  }};
  const std::string lower = CLI::detail::to_lower(name);
  for (const auto& [word, level] : kLevels) {
    if (word != lower) continue;
    SetLogLevel(level);
    return Ok();
  }
  return Fail(Usage(format("\"{}\" is not a log level", name),
                    "the levels are debug, info, warning and error"));
}

Status ApplyLogFormat(const std::string& name) {
  static constexpr std::array<std::pair<std::string_view, LogFormat>, 3> kFormats{{
      {"auto", LogFormat::kAuto},
      {"logfmt", LogFormat::kLogfmt},
      {"json", LogFormat::kJson},
  }};
  for (const auto& [word, log_format] : kFormats) {
    if (word != name) continue;
    SetLogFormat(log_format);
    return Ok();
  }
  return Fail(
      Usage(format("\"{}\" is not a log format", name), "the formats are auto, logfmt and json"));
}

// What -l and --log-format say, before the noun or behind the verb; empty: not given.
struct LogChoice {
  std::string level, format;
};

void Declare(CLI::App& app, LogChoice& log) {
  app.add_option("-l,--log-level", log.level, kLogLevelHelp);
  app.add_option("--log-format", log.format, kLogFormatHelp);
}

Status Apply(const LogChoice& log) {
  const char* const usual = std::getenv("FX_LOG_FORMAT");
  if (!log.format.empty()) {
    TRY(ApplyLogFormat(log.format));
  } else if (usual != nullptr) {
    TRY(In(ApplyLogFormat(usual), "cannot use the environment's FX_LOG_FORMAT"));
  }
  return log.level.empty() ? Ok() : ApplyLogLevel(log.level);
}

class Cli11Flags : public Flags {
 public:
  explicit Cli11Flags(CLI::App& app) : app_(app) {}

  void Text(const std::string& names, std::string* value, const std::string& help) override {
    app_.add_option(names, *value, help)->capture_default_str();
  }
  void RequiredText(const std::string& names, std::string* value,
                    const std::string& help) override {
    app_.add_option(names, *value, help)->required();
  }
  void WorkspaceFile(const std::string& names, std::string* value,
                     const std::string& help) override {
    app_.add_option(names, *value, help)->capture_default_str()->type_name("FILE");
    workspace_files_.push_back({names, value});
  }
  void Switch(const std::string& names, bool* value, const std::string& help) override {
    app_.add_flag(names, *value, help);
  }
  void Number(const std::string& names, std::int64_t* value, const std::string& help) override {
    app_.add_option(names, *value, help)->capture_default_str();
  }

  // Once the options are parsed.
  Status CheckScope() const {
    for (const auto& [names, value] : workspace_files_) {
      TRY(In(CheckIsInside(*value, "."), "cannot use " + names));
    }
    return Ok();
  }

 private:
  CLI::App& app_;
  std::vector<std::pair<std::string, const std::string*>> workspace_files_;
};

// CLI11 wants the arguments last first.
void ParseWith(CLI::App& app, std::span<const std::string> arguments) {
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  app.parse(std::move(reversed));
}

// "aggregator start", or "status".
std::string WordsOf(const Command& command) {
  std::string words(command.noun());
  if (!command.verb().empty()) words += format(" {}", command.verb());
  return words;
}

using Commands = std::span<const std::unique_ptr<Command>>;

// One line a verb, in the order of the table, with a blank line between nouns. `noun` empty: all.
std::string MapOf(Commands commands, std::string_view noun) {
  std::size_t width = 0;
  for (const auto& c : commands) width = std::max(width, WordsOf(*c).size());
  std::string map;
  std::string_view previous;
  for (const auto& c : commands) {
    if (!noun.empty() && c->noun() != noun) continue;
    if (c->noun() != previous) map += '\n';
    previous = c->noun();
    map += format("  {:<{}}  {}\n", WordsOf(*c), width, c->summary());
  }
  return map;
}

std::string GlobalOptionsText() {
  std::string text;
  for (const OptionFacts& option : GlobalOptions()) {
    std::string names;
    for (const std::string& name : option.names) names += (names.empty() ? "" : ", ") + name;
    if (option.kind != OptionKind::kSwitch) {
      names += names.ends_with("level") ? " LEVEL" : " FORMAT";
    }
    text += format("  {:<23}{}\n", names, option.help);
  }
  return text;
}

std::string RootHelp(Commands commands) {
  return format(
      "fx: several sites train one model; their data stays where it is.\n\n"
      "Usage: fx [-l LEVEL] [--log-format FORMAT] [--no-warnings] <noun> <verb> [options]\n{}\n{}\n"
      "`fx <noun> <verb> --help` shows the options of a verb and an example.\n",
      MapOf(commands, {}), GlobalOptionsText());
}

std::string NounHelp(Commands commands, std::string_view noun) {
  return format(
      "Usage: fx {} <verb> [options]\n{}\n`fx {} <verb> --help` shows a verb's options.\n", noun,
      MapOf(commands, noun), noun);
}

Error UnknownWord(std::string_view kind, const std::string& word,
                  const std::vector<std::string_view>& known, const std::string& help) {
  const std::string nearest = NearestName(word, known);
  const std::string hint = nearest.empty() ? "" : format("did you mean \"{}\"? ", nearest);
  return Usage(format("\"{}\" is not a {}", word, kind),
               hint + format("`{}` lists them all", help));
}

Error UnknownNoun(Commands commands, const std::string& word) {
  std::vector<std::string_view> nouns;
  for (const auto& c : commands) nouns.push_back(c->noun());
  return UnknownWord("command of fx", word, nouns, "fx --help");
}

Error UnknownVerb(Commands commands, const std::string& noun, const std::string& word) {
  std::vector<std::string_view> verbs;
  for (const auto& c : commands) {
    if (c->noun() == noun) verbs.push_back(c->verb());
  }
  return UnknownWord(format("verb of fx {}", noun), word, verbs, format("fx {} --help", noun));
}

// An argument that no option of `app` wants.
Error UnexpectedArgument(const CLI::App& app, const std::string& argument,
                         const std::string& help) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  const std::string nearest =
      argument.starts_with('-') ? NearestName(argument.substr(0, argument.find('=')), known) : "";
  return Usage(format("\"{}\" is not expected here", argument),
               nearest.empty() ? format("`{}` lists the options", help)
                               : format("did you mean \"{}\"?", nearest));
}

// What the words before the verb's own options say.
struct Preamble {
  bool help = false, version = false, no_warnings = false;
  LogChoice log;
  std::vector<std::string> rest;  // noun, verb, and what follows
};

Result<Preamble> ParsePreamble(std::span<const std::string> arguments) {
  Preamble found;
  CLI::App app;
  app.set_help_flag();
  app.add_flag("-h,--help", found.help);
  app.add_flag("--version", found.version);
  app.add_flag("--no-warnings", found.no_warnings);
  Declare(app, found.log);
  app.prefix_command();
  try {
    ParseWith(app, arguments);
  } catch (const CLI::ParseError& e) {
    return Fail(Usage(e.what(), "`fx --help` shows how fx is used"));
  }
  found.rest = app.remaining();
  if (!found.rest.empty() && found.rest[0].starts_with('-')) {
    return Fail(UnexpectedArgument(app, found.rest[0], "fx --help"));
  }
  return found;
}

// What came of the words after a verb.
struct Parsed {
  std::optional<std::string> help;  // was asked for; the verb is not to run
  Status scope;                     // of the files that were named
};

Result<Parsed> ParseVerb(Command& command, std::span<const std::string> arguments, LogChoice& log) {
  const std::string name = "fx " + WordsOf(command);
  CLI::App app(std::string(command.summary()), name);
  app.footer(format("Example:\n  $ {}", command.example()));
  app.set_help_flag("-h,--help", "This help");
  app.get_formatter()->column_width(34);
  app.allow_extras();
  // As in OpenFL, of an option that is given twice the last counts.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  Cli11Flags flags(app);
  command.Declare(flags);
  Declare(app, log);
  std::optional<Error> refused;
  try {
    ParseWith(app, arguments);
  } catch (const CLI::CallForHelp&) {
    return Parsed{.help = app.help(), .scope = {}};
  } catch (const CLI::ParseError& e) {
    refused = Usage(e.what(), format("for example: {}", command.example()));
  }
  // A mistyped option explains a missing one.
  const std::vector<std::string> extras = app.remaining();
  if (!extras.empty()) return Fail(UnexpectedArgument(app, extras[0], name + " --help"));
  if (refused) return Fail(*std::move(refused));
  return Parsed{.help = {}, .scope = flags.CheckScope()};
}

ExitCode Show(const std::string& text, Io& io) {
  io.out << text << std::flush;
  return ExitCode::kDone;
}

ExitCode RunVerb(Command& command, std::span<const std::string> arguments, LogChoice log, Io& io) {
  const auto parsed = ParseVerb(command, arguments, log);
  if (!parsed) return Report(parsed.error(), ExitCode::kUsage, io);
  if (parsed->help) return Show(*parsed->help, io);
  if (const Status s = Apply(log); !s) return Report(s.error(), ExitCode::kUsage, io);
  if (!parsed->scope) {
    return Report(parsed->scope.error(), ExitCodeOf(parsed->scope.error()), io);
  }
  if (const char* file = std::getenv("LOG_FILE"); file != nullptr && !AddLogFile(file)) {
    return Report(Error(ErrorCode::kFailedPrecondition,
                        format("cannot append to \"{}\", which LOG_FILE names", file)),
                  ExitCode::kFailed, io);
  }
  if (const Status done = command.Run(io); !done) {
    return Report(done.error(), ExitCodeOf(done.error()), io);
  }
  if (!command.for_programs()) io.out << "\n ✔️ OK\n";
  io.out << std::flush;
  return ExitCode::kDone;
}

bool AsksForHelp(std::string_view word) {
  return word == "-h" || word == "--help";
}

}  // namespace

ExitCode ExitCodeOf(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kCancelled:
      return ExitCode::kCancelled;
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kUnauthenticated:
      return ExitCode::kNotAuthorised;
    case ErrorCode::kUnavailable:
      return ExitCode::kUnavailable;
    default:
      return ExitCode::kFailed;
  }
}

ExitCode RunApp(std::span<const std::string> arguments, Commands commands, Io& io) {
  const Result<Preamble> preamble = ParsePreamble(arguments);
  if (!preamble) return Report(preamble.error(), ExitCode::kUsage, io);
  const std::vector<std::string>& words = preamble->rest;
  if (preamble->version) return Show("fx " FX_VERSION "\n", io);
  if (preamble->help || words.empty()) return Show(RootHelp(commands), io);

  const std::string& noun = words[0];
  const bool known = std::ranges::any_of(commands, [&](auto& c) { return c->noun() == noun; });
  const std::string_view next = words.size() > 1 ? std::string_view(words[1]) : "";
  if (!known) {
    return Report(NotHere(noun, next).value_or(UnknownNoun(commands, noun)), ExitCode::kUsage, io);
  }
  const auto alone = std::ranges::find_if(
      commands, [&](auto& c) { return c->noun() == noun && c->verb().empty(); });
  if (alone != commands.end()) {
    return RunVerb(**alone, std::span(words).subspan(1), preamble->log, io);
  }
  if (words.size() == 1 || AsksForHelp(words[1])) return Show(NounHelp(commands, noun), io);

  const auto found = std::ranges::find_if(
      commands, [&](auto& c) { return c->noun() == noun && c->verb() == words[1]; });
  if (found == commands.end()) {
    return Report(NotHere(noun, next).value_or(UnknownVerb(commands, noun, words[1])),
                  ExitCode::kUsage, io);
  }
  return RunVerb(**found, std::span(words).subspan(2), preamble->log, io);
}

}  // namespace fx
