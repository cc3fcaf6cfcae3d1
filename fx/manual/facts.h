// What a verb says of itself, as data: for shell completion, the man page and the reference.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fx/command.h"

namespace fx {

enum class OptionKind { kText, kNumber, kFile, kSwitch };

struct OptionFacts {
  std::vector<std::string>
      names;  // "-n", "--fqdn"; one word in capitals for one given by its place
  OptionKind kind = OptionKind::kText;
  bool required = false;
  std::string default_value;  // "" if there is none
  std::string help;

  bool by_place() const { return !names.front().starts_with('-'); }
};

struct CommandFacts {
  std::string noun;
  std::string verb;  // "" if the noun says it all
  std::string summary;
  std::string example;
  std::vector<OptionFacts> options;  // as declared, then -l, --log-format and -h

  std::string words() const { return verb.empty() ? noun : noun + " " + verb; }
};

// Of -l and --log-format, before the noun and after the verb.
inline constexpr const char* kLogLevelHelp = "Log lines to show: debug, info, warning or error";

inline constexpr const char* kLogFormatHelp =
    "Form of log lines: auto (for people on a terminal, else logfmt), logfmt or json";

// `-l`, `--log-format`, `--no-warnings`, `-h` and `--version`, which stand before the noun.
std::vector<OptionFacts> GlobalOptions();

std::vector<CommandFacts> FactsOf(std::span<const std::unique_ptr<Command>> commands);

}  // namespace fx
