// Tells many stories, and those that go wrong in full:
//
//   simulation [--seeds=N] [--first=S] [--trace]
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "core/base/format.h"
#include "core/base/log.h"
#include "tests/simulation/simulation.h"

namespace {

struct Options {
  std::uint64_t seeds = 1;
  std::uint64_t first = 1;
  bool trace = false;
};

void Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

bool ParseNumber(std::string_view text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool Parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--trace") {
      options.trace = true;
    } else if (arg.starts_with("--seeds=")) {
      if (!ParseNumber(arg.substr(8), options.seeds)) return false;
    } else if (!arg.starts_with("--first=") || !ParseNumber(arg.substr(8), options.first)) {
      return false;
    }
  }
  return true;
}

// FX_CHECK ends the process; whose story it was must not be lost.
std::string g_abort_note;
void OnAbort(int) {
  static_cast<void>(write(STDERR_FILENO, g_abort_note.data(), g_abort_note.size()));
}

void PrintStory(std::uint64_t seed, const fx::sim::Story& story) {
  Print(fx::format("seed {}: {}\n", seed, story.summary));
  for (const std::string& line : story.trace) Print(line + "\n");
  if (story.violation) Print(fx::format("VIOLATION in seed {}: {}\n", seed, *story.violation));
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!Parse(argc, argv, options)) {
    Print("usage: simulation [--seeds=N] [--first=S] [--trace]\n");
    return 2;
  }
  fx::SetLogLevel(fx::LogLevel::kError);
  std::signal(SIGABRT, OnAbort);
  std::uint64_t failed = 0;
  std::int64_t steps = 0;
  std::int64_t deaths = 0;
  for (std::uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    const std::string again = fx::format("{} --first={} --trace\n", argv[0], seed);
    g_abort_note = "again with: " + again;
    fx::sim::Story story = fx::sim::Tell(seed, options.trace);
    steps += story.steps;
    deaths += story.deaths;
    if (options.trace) PrintStory(seed, story);
    if (!story.violation) continue;
    if (!options.trace && failed < 3) PrintStory(seed, fx::sim::Tell(seed, true));
    Print(fx::format("seed {}: {}; again with: {}", seed, *story.violation, again));
    ++failed;
  }
  Print(fx::format("{} seeds, {} steps, {} deaths: {} failed\n", options.seeds, steps, deaths,
                   failed));
  return failed == 0 ? 0 : 1;
}
