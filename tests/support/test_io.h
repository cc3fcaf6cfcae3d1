// A terminal made of strings, and a folder to run a verb in.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>

#include "core/base/file.h"
#include "fx/command.h"
#include "fx/io.h"

namespace fx::test {

// Give `typed` what the person would type; read what was shown from out and err.
struct TestIo {
  explicit TestIo(const std::string& typed = "", bool tty = false)
      : in(typed), io{.in = in, .out = out, .err = err, .in_is_tty = tty, .err_is_tty = tty} {}

  std::istringstream in;
  std::ostringstream out, err;
  Io io;
};

// Runs each test of a verb in an empty folder of its own, as the current directory.
class VerbTest : public testing::Test {
 protected:
  VerbTest() : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(folder_.path());
  }
  ~VerbTest() override { std::filesystem::current_path(before_); }

  const Path& folder() const { return folder_.path(); }

 private:
  Path before_;
  TempDir folder_;
};

}  // namespace fx::test
