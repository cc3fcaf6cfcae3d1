// Other programs as judges of what we write.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

#include "core/base/error.h"

namespace fx::test {

struct Ran {
  int exit_code = -1;
  std::string output;  // standard output and standard error
};

// Runs a line of shell. The tests write the line, so nothing in it is hostile.
inline Ran RunCommand(const std::string& line) {
  FILE* pipe = popen(("( " + line + "\n) 2>&1").c_str(), "r");
  FX_CHECK(pipe != nullptr);
  Ran ran;
  std::array<char, 4096> block;
  while (const std::size_t n = std::fread(block.data(), 1, block.size(), pipe)) {
    ran.output.append(block.data(), n);
  }
  const int status = pclose(pipe);
  ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

}  // namespace fx::test
