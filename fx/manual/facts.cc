#include "fx/manual/facts.h"

#include <algorithm>
#include <utility>

namespace fx {
namespace {

std::vector<std::string> SplitNames(const std::string& names) {
  std::vector<std::string> list;
  std::size_t begin = 0;
  while (begin <= names.size()) {
    const std::size_t end = std::min(names.find(',', begin), names.size());
    list.push_back(names.substr(begin, end - begin));
    begin = end + 1;
  }
  return list;
}

OptionFacts Option(const std::string& names, OptionKind kind, const std::string& help) {
  return {.names = SplitNames(names),
          .kind = kind,
          .required = false,
          .default_value = "",
          .help = help};
}

// Writes down instead of parsing.
class Recorder : public Flags {
 public:
  void Text(const std::string& names, std::string* value, const std::string& help) override {
    Add(names, OptionKind::kText, help).default_value = *value;
  }
  void RequiredText(const std::string& names, std::string*, const std::string& help) override {
    Add(names, OptionKind::kText, help).required = true;
  }
  void WorkspaceFile(const std::string& names, std::string* value,
                     const std::string& help) override {
    Add(names, OptionKind::kFile, help).default_value = *value;
  }
  void Switch(const std::string& names, bool*, const std::string& help) override {
    Add(names, OptionKind::kSwitch, help);
  }
  void Number(const std::string& names, std::int64_t* value, const std::string& help) override {
    Add(names, OptionKind::kNumber, help).default_value = std::to_string(*value);
  }

  std::vector<OptionFacts> Take() {
    Add("-l,--log-level", OptionKind::kText, kLogLevelHelp);
    Add("--log-format", OptionKind::kText, kLogFormatHelp);
    Add("-h,--help", OptionKind::kSwitch, "The options of this command, and an example");
    return std::move(options_);
  }

 private:
  OptionFacts& Add(const std::string& names, OptionKind kind, const std::string& help) {
    return options_.emplace_back(Option(names, kind, help));
  }

  std::vector<OptionFacts> options_;
};

}  // namespace

std::vector<OptionFacts> GlobalOptions() {
  return {Option("-l,--log-level", OptionKind::kText, kLogLevelHelp),
          Option("--log-format", OptionKind::kText, kLogFormatHelp),
          Option("--no-warnings", OptionKind::kSwitch,
                 "Accepted for OpenFL's sake: there are no warnings of Python to hide"),
          Option("-h,--help", OptionKind::kSwitch,
                 "The map of commands; after a noun or a verb, its own help"),
          Option("--version", OptionKind::kSwitch, "The version of fx")};
}

std::vector<CommandFacts> FactsOf(std::span<const std::unique_ptr<Command>> commands) {
  std::vector<CommandFacts> facts;
  for (const auto& command : commands) {
    Recorder recorder;
    command->Declare(recorder);
    facts.push_back({.noun = std::string(command->noun()),
                     .verb = std::string(command->verb()),
                     .summary = std::string(command->summary()),
                     .example = std::string(command->example()),
                     .options = recorder.Take()});
  }
  return facts;
}

}  // namespace fx
