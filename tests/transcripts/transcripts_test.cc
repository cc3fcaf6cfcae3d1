// Every *.in of this folder is an engine's story; the *.out beside it is what must come of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "tests/support/matchers.h"
#include "tests/transcripts/transcript.h"

namespace fx::aggregator {
namespace {

const Path kFolder = Path(FX_SOURCE_DIR) / "tests/transcripts";

std::vector<std::string> Stories() {
  std::vector<std::string> names;
  const Result<std::vector<Path>> files = ListFolder(kFolder);
  for (const Path& file : files.value_or(std::vector<Path>())) {
    if (file.extension() == ".in") names.push_back(file.stem().string());
  }
  return names;
}

class Transcript : public testing::TestWithParam<std::string> {
 protected:
  static Path FileOf(const std::string& extension) { return kFolder / (GetParam() + extension); }
  static std::string Read(const std::string& extension) {
    return ReadFile(FileOf(extension)).value_or("cannot read the file");
  }
};

// Run with REWRITE=1 to accept new output; commit the difference only if you can explain each line.
TEST_P(Transcript, MatchesGolden) {
  const std::string got = RunTranscript(Read(".in"));
  if (std::getenv("REWRITE") != nullptr) {
    ASSERT_THAT(AtomicWrite(FileOf(".out"), got), test::IsOk());
  }
  EXPECT_EQ(got, Read(".out"));
}

// The journal holds everything that matters: an engine rebuilt after each command says the same.
TEST_P(Transcript, CrashingAfterEveryCommandChangesNothing) {
  EXPECT_EQ(RunTranscript(Read(".in")),
            RunTranscript(Read(".in"), {.crash_after_every_command = true}));
}

INSTANTIATE_TEST_SUITE_P(Stories, Transcript, testing::ValuesIn(Stories()),
                         [](const auto& story) { return story.param; });

}  // namespace
}  // namespace fx::aggregator
