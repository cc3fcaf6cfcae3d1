#include "tasks/loaders/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/matchers.h"
#include "tests/unit/tasks/gathered.h"

namespace fx::test {
namespace {

using ::testing::ElementsAre;

class TextLoader : public ::testing::Test {
 protected:
  TextLoader() {
    settings_.type = "TextDataLoader";
    settings_.text = {.sequence_length = 3, .alphabet = "\nabc"};
    settings_.dataset = folder_.path();
  }
  void Write(const char* name, const std::string& text) const {
    FX_CHECK(AtomicWrite(folder_.path() / name, text).has_value());
  }
  Result<std::unique_ptr<DataLoader>> Load(const std::string& data_path) const {
    return MakeDataLoader(settings_, data_path);
  }

  const TempDir folder_;
  DataLoaderSettings settings_;
};

TEST_F(TextLoader, NumbersCharactersAndPairsEachWithTheNext) {
  Write("train.txt", "abc\nxab");
  Write("validation.txt", "cbab");
  const auto loader = Load(folder_.path()).value();
  EXPECT_THAT(loader->train().sample_shape(), ElementsAre(3));
  EXPECT_THAT(loader->train().target_shape(), ElementsAre(3));
  const Gathered train = GatherAll(loader->train());
  EXPECT_THAT(train.samples, ElementsAre(2, 3, 4, 1, 0, 2));
  EXPECT_THAT(train.targets, ElementsAre(3, 4, 1, 0, 2, 3));
  EXPECT_THAT(GatherAll(loader->validation()).samples, ElementsAre(4, 3, 2));
}

TEST_F(TextLoader, RefusesATextShorterThanASequenceAndItsEnd) {
  Write("train.txt", "abca");
  Write("validation.txt", "abc");
  EXPECT_THAT(Load(folder_.path()),
              IsError(ErrorCode::kInvalidArgument, "the validation text has 3 characters"));
}

// Packed files and UTF-16 would else be sequences of characters that are not in the alphabet.
TEST_F(TextLoader, RefusesWhatIsNotText) {
  Write("train.txt", std::string("abcabc\nab\0c", 11));
  Write("validation.txt", "cbab");
  EXPECT_THAT(Load(folder_.path()),
              IsError(ErrorCode::kInvalidArgument, "train.txt:2: holds a NUL byte"));
}

TEST_F(TextLoader, DealsWholeFiles) {
  for (const char* name : {"1.txt", "2.txt", "3.txt", "4.txt"})
    Write(name, std::string(10, name[0] < '3' ? 'a' : 'b'));
  settings_.text.unit = TextUnit::kFile;
  settings_.validation_share = 0.5;
  settings_.collaborator_count = 2;
  for (const char* k : {"1", "2"}) {
    const Gathered train = GatherAll(Load(k).value()->train());
    EXPECT_EQ(train.samples.size(), 9U);
    EXPECT_EQ(std::ranges::count(train.samples, train.samples[0]), 9);
  }
  settings_.collaborator_count = 3;
  EXPECT_THAT(Load("1"), IsError(ErrorCode::kInvalidArgument, "only 2 samples"));
}

TEST_F(TextLoader, DealsWholeLines) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += std::string(2, static_cast<char>('a' + i % 2)) + "\n";
  Write("all.txt", text);
  settings_.dataset = folder_.path() / "all.txt";
  settings_.collaborator_count = 2;
  settings_.validation_share = 0.25;
  for (const char* k : {"1", "2"}) {
    const auto loader = Load(k).value();
    EXPECT_EQ(loader->train().size(), 14);      // 15 lines of 3, the last character only a target
    EXPECT_EQ(loader->validation().size(), 4);  // 5 lines
    const Gathered train = GatherAll(loader->train());
    for (std::size_t i = 0; i < train.samples.size(); i += 3) {
      EXPECT_EQ(train.samples[i], train.samples[i + 1]);
      EXPECT_EQ(train.samples[i + 2], 1) << "a line ends there";
    }
  }
}

TEST_F(TextLoader, RefusesAFolderWithoutTextAndTextTooSmallToHoldSomeOut) {
  EXPECT_THAT(Load(folder_.path()), IsError(ErrorCode::kNotFound, "there are no .txt files"));
  Write("a.txt", "one line");
  EXPECT_THAT(Load(folder_.path()), IsError(ErrorCode::kInvalidArgument, "has 1 lines"));
}

}  // namespace
}  // namespace fx::test
