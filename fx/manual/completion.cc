#include "fx/manual/completion.h"

#include <algorithm>
#include <vector>

#include "core/base/format.h"

namespace fx {
namespace {

using Commands = std::span<const CommandFacts>;

std::vector<std::string> NounsOf(Commands commands) {
  std::vector<std::string> nouns;
  for (const CommandFacts& c : commands) {
    if (std::ranges::find(nouns, c.noun) == nouns.end()) nouns.push_back(c.noun);
  }
  return nouns;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::vector<std::string> VerbsOf(Commands commands, const std::string& noun) {
  std::vector<std::string> verbs;
  for (const CommandFacts& c : commands) {
    if (c.noun == noun && !c.verb.empty()) verbs.push_back(c.verb);
  }
  return verbs;
}

std::vector<std::string> OptionNames(const std::vector<OptionFacts>& options) {
  std::vector<std::string> names;
  for (const OptionFacts& option : options) {
    if (!option.by_place()) names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

// In single quotes of a POSIX shell.
std::string Quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// A `case` over the words typed so far, that says what may follow.
std::string Cases(Commands commands, const std::string& indent) {
  std::string text;
  const auto add = [&](const std::string& pattern, const std::vector<std::string>& words) {
    text += format("{}{}) choices='{}' ;;\n", indent, Quoted(pattern), Joined(words));
  };
  std::vector<std::string> first = NounsOf(commands);
  const std::vector<std::string> global = OptionNames(GlobalOptions());
  first.insert(first.end(), global.begin(), global.end());
  add("", first);
  for (const std::string& noun : NounsOf(commands)) {
    const std::vector<std::string> verbs = VerbsOf(commands, noun);
    if (!verbs.empty()) add(noun, verbs);
  }
  for (const CommandFacts& c : commands) add(c.words(), OptionNames(c.options));
  return text;
}

// Nouns that are whole commands, as alternatives of a pattern.
std::string Lonely(Commands commands) {
  std::string text;
  for (const CommandFacts& c : commands) {
    if (c.verb.empty()) text += (text.empty() ? "" : "|") + c.noun;
  }
  return text.empty() ? "-" : text;
}

}  // namespace

std::string BashCompletion(Commands commands) {
  return format(
      "# bash completion of fx; made by `fx completion bash`\n"
      "_fx() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} command='' choices='' i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case ${{COMP_WORDS[i]}} in\n"
      "      -l|--log-level|--log-format) ((i++)); continue ;;\n"
      "      -*) [[ -z $command ]] && continue; break ;;\n"
      "    esac\n"
      "    command+=${{command:+ }}${{COMP_WORDS[i]}}\n"
      "    case $command in *' '*|{}) break ;; esac\n"
      "  done\n"
      "  case $command in\n{}"
      "  esac\n"
      "  COMPREPLY=()\n"
      "  if [[ $current == -* || $command != *' '* ]]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$current\")\n"
      "  fi\n"
      "}}\n"
      "complete -o default -F _fx fx\n",
      Lonely(commands), Cases(commands, "    "));
}

std::string ZshCompletion(Commands commands) {
  return format(
      "#compdef fx\n"
      "# zsh completion of fx; made by `fx completion zsh`\n"
      "_fx() {{\n"
      "  local command='' choices='' word i=2\n"
      "  while (( i < CURRENT )); do\n"
      "    word=${{words[i]}}\n"
      "    (( i++ ))\n"
      "    case $word in\n"
      "      -l|--log-level|--log-format) (( i++ )); continue ;;\n"
      "      -*) [[ -z $command ]] && continue; break ;;\n"
      "    esac\n"
      "    command+=${{command:+ }}$word\n"
      "    case $command in *' '*|{}) break ;; esac\n"
      "  done\n"
      "  case $command in\n{}"
      "  esac\n"
      "  if [[ ${{words[CURRENT]}} == -* || $command != *' '* ]]; then\n"
      "    compadd -- ${{=choices}}\n"
      "  else\n"
      "    _files\n"
      "  fi\n"
      "}}\n"
      "# Loaded by its name in $fpath, this file is the function's first call; else it is "
      "sourced.\n"
      "if [[ ${{funcstack[1]}} == _fx ]]; then _fx \"$@\"; else compdef _fx fx; fi\n",
      Lonely(commands), Cases(commands, "    "));
}

namespace {

std::string FishOption(const OptionFacts& option, const std::string& condition) {
  if (option.by_place()) return "";
  std::string line = format("complete -c fx -n {}", Quoted(condition));
  for (const std::string& name : option.names) {
    if (name.starts_with("--")) {
      line += " -l " + name.substr(2);
    } else {
      line += (name.size() == 2 ? " -s " : " -o ") + name.substr(1);
    }
  }
  if (option.kind == OptionKind::kFile) line += " -r -F";
  if (option.kind == OptionKind::kText || option.kind == OptionKind::kNumber) line += " -r";
  return line + format(" -d {}\n", Quoted(option.help));
}

std::string FishCommand(const CommandFacts& c) {
  std::string text;
  if (!c.verb.empty()) {
    text = format("complete -c fx -f -n {} -a {} -d {}\n", Quoted("__fx_at " + c.noun), c.verb,
                  Quoted(c.summary));
  }
  for (const OptionFacts& option : c.options) text += FishOption(option, "__fx_at " + c.words());
  return text;
}

}  // namespace

std::string FishCompletion(Commands commands) {
  std::string text = format(
      "# fish completion of fx; made by `fx completion fish`\n"
      "function __fx_at -d 'Whether these are the noun and the verb typed so far'\n"
      "  set -l typed (commandline -opc)[2..]\n"
      "  set -l command\n"
      "  while set -q typed[1]\n"
      "    set -l word $typed[1]\n"
      "    set -e typed[1]\n"
      "    switch $word\n"
      "      case -l --log-level --log-format\n"
      "        set -e typed[1]\n"
      "      case '-*'\n"
      "        set -q command[1]; and break\n"
      "      case '*'\n"
      "        set -a command $word\n"
      "        string match -qr '.+ .+|^({})$' -- \"$command\"; and break\n"
      "    end\n"
      "  end\n"
      "  test \"$command\" = \"$argv\"\n"
      "end\n",
      Lonely(commands));
  for (const OptionFacts& option : GlobalOptions()) text += FishOption(option, "__fx_at");
  for (const std::string& noun : NounsOf(commands)) {
    text += format("complete -c fx -f -n __fx_at -a {}\n", noun);
  }
  for (const CommandFacts& c : commands) text += FishCommand(c);
  return text;
}

}  // namespace fx
