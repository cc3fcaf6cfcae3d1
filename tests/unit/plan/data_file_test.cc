#include "plan/data_file.h"

#include <gtest/gtest.h>

#include "plan/load.h"

namespace fx {
namespace {

class DataFile : public ::testing::Test {
 protected:
  void Write(std::string_view text) { ASSERT_TRUE(AtomicWrite(path_, text)); }
  std::string Set(const std::string& name, const std::string& data) {
    const Status set = SetDataPath(path_, name, data);
    return set ? *ReadFile(path_) : set.error().message();
  }
  std::string Load() {
    const auto data = LoadDataFile(path_);
    if (!data) return data.error().message();
    std::string list;
    for (const auto& [name, value] : *data) list += name + "=" + value + ";";
    return list;
  }

  TempDir folder_;
  Path path_ = folder_.path() / "data.yaml";
};

TEST_F(DataFile, HoldsNamesAndPaths) {
  Write("# who,where\r\n\n one , 1\r\n two,/data/a,b # c\n");
  EXPECT_EQ(Load(), "one=1;two=/data/a,b # c;");
}

TEST_F(DataFile, ComplainsAboutEveryBadLine) {
  Write("one\none,1\none,2\n,3\n");
  const std::string file = path_.string();
  EXPECT_EQ(Load(), file +
                        ":1: found \"one\", expected name,path\n"
                        "           " +
                        file +
                        ":3: one is given twice; keep one of the two\n"
                        "           " +
                        file + ":4: found \",3\", expected name,path");
}

TEST_F(DataFile, ThatIsMissingIsAnError) {
  EXPECT_NE(Load().find(path_.string()), std::string::npos);
}

TEST_F(DataFile, IsMadeByTheFirstEntry) {
  EXPECT_EQ(Set("one", "1"), "one,1\n");
}

TEST_F(DataFile, GrowsAtItsEnd) {
  Write("# c\none,1");
  EXPECT_EQ(Set("two", "/data"), "# c\none,1\ntwo,/data\n");
}

TEST_F(DataFile, ChangesAnEntryInPlace) {
  Write("# c\n\none,1\ntwo,2\n");
  EXPECT_EQ(Set("one", "/data"), "# c\n\none,/data\ntwo,2\n");
  EXPECT_EQ(Set("one", "/data"), "# c\n\none,/data\ntwo,2\n");
}

TEST_F(DataFile, KeepsOneOfTwoEntriesOfAName) {
  Write("one,1\none,2\n");
  EXPECT_EQ(Set("one", "3"), "one,3\n");
}

TEST_F(DataFile, RefusesWhatWouldBeAnotherLine) {
  const std::string words = "expected a name without commas and a path without line breaks";
  EXPECT_EQ(Set("a,b", "1"), words);
  EXPECT_EQ(Set("", "1"), words);
  EXPECT_EQ(Set("a", "1\ntwo,2"), words);
  EXPECT_EQ(Set("a", " "), words);
}

}  // namespace
}  // namespace fx
