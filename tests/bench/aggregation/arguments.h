// The command line of a bench in two processes.
#pragma once

#include <charconv>
#include <cstdio>
#include <string>
#include <system_error>
#include <vector>

#include "core/base/memory.h"

namespace fx::bench {

// All of the text, and more than 0.
template <typename T>
bool Parse(const std::string& text, T& number) {
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && rest == end && number > 0;
}

// What both processes of a bench do: serves if the arguments are those of its child, or else runs
// it with the settings the arguments say, or says how it is used.
template <typename Serve, typename ParseOptions, typename Bench>
int Main(int argc, char** argv, const char* usage, Serve serve, ParseOptions parse, Bench bench) {
  KeepFreedMemory();
  if (serve(std::vector<std::string>(argv + 1, argv + argc))) return 0;
  const auto settings = parse(argc, argv);
  if (!settings) {
    std::fputs(usage, stderr);
    return 2;
  }
  bench(*settings);
  return 0;
}

}  // namespace fx::bench
