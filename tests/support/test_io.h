// A terminal made of strings, and a folder to run verbs in. Tests that include this link fx::cli.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "fx/app.h"
#include "fx/commands.h"
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

// Each test of a verb runs in an empty folder of its own, its current directory.
class VerbTest : public testing::Test {
 protected:
  VerbTest() : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(folder_.path());
  }
  ~VerbTest() override { std::filesystem::current_path(before_); }

  // fx with these words. out() and err() are what the last run showed.
  ExitCode Run(const std::vector<std::string>& words, const std::string& typed = "") {
    io_ = std::make_unique<TestIo>(typed, !typed.empty());
    return RunApp(words, AllCommands(), io_->io);
  }
  std::string out() const { return io_->out.str(); }
  std::string err() const { return io_->err.str(); }

  const Path& folder() const { return folder_.path(); }

 private:
  Path before_;
  TempDir folder_;
  std::unique_ptr<TestIo> io_ = std::make_unique<TestIo>();
};

// The folder is a workspace of linear regression, initialised for an aggregator at localhost, with
// an authority that has signed nothing yet.
class InitializedTest : public VerbTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(Run({"workspace", "create", "--prefix", ".", "--template", "logistic_regression"}),
              ExitCode::kDone);
    ASSERT_EQ(Run({"plan", "initialize", "-a", "localhost"}), ExitCode::kDone) << err();
    ASSERT_EQ(Run({"workspace", "certify"}), ExitCode::kDone) << err();
  }
  void CertifySite(const std::string& name) {
    ASSERT_EQ(Run({"collaborator", "generate-cert-request", "-n", name}), ExitCode::kDone);
    ASSERT_EQ(Run({"collaborator", "certify", "-n", name, "-s"}), ExitCode::kDone) << err();
  }
};

}  // namespace fx::test
