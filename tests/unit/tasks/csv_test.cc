#include "tasks/loaders/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tasks/loaders/csv_file.h"
#include "tests/support/matchers.h"
#include "tests/unit/tasks/gathered.h"

namespace fx::test {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CsvLoader : public ::testing::Test {
 protected:
  CsvLoader() {
    settings_.type = "CsvDataLoader";
    settings_.table.label = "y";
  }

  // Loads a folder with these rows for training and a valid table for validation.
  Result<std::unique_ptr<DataLoader>> Load(const std::string& train) { return Load(train, train); }
  Result<std::unique_ptr<DataLoader>> Load(const std::string& train,
                                           const std::string& validation) {
    Write("train.csv", train);
    Write("validation.csv", validation);
    return MakeDataLoader(settings_, folder_.path());
  }
  void Write(const char* name, const std::string& text) const {
    FX_CHECK(AtomicWrite(folder_.path() / name, text).has_value());
  }
  auto Refuses(const std::string& rows, const std::string& why) {
    EXPECT_THAT(Load(rows), IsError(ErrorCode::kInvalidArgument, why));
  }

  const TempDir folder_;
  DataLoaderSettings settings_;
};

TEST_F(CsvLoader, TakesAllOtherColumnsSortedByName) {
  const auto loader = Load("b,y,a\n1,0,2\n3,1,4.5\n").value();
  EXPECT_THAT(loader->train().sample_shape(), ElementsAre(2));
  EXPECT_THAT(loader->train().target_shape(), IsEmpty());
  const Gathered train = GatherAll(loader->train());
  EXPECT_THAT(train.samples, ElementsAre(2, 1, 4.5, 3));
  EXPECT_THAT(train.targets, ElementsAre(0, 1));
}

TEST_F(CsvLoader, TakesTheFeaturesOfThePlanInItsOrder) {
  settings_.table.features = {"c", "a"};
  const auto loader = Load("a,b,c,y\n1,x,3,0\n").value();
  EXPECT_THAT(GatherAll(loader->train()).samples, ElementsAre(3, 1));
}

TEST_F(CsvLoader, MakesAnInputOfEachWord) {
  settings_.table.categorical["sex"] = {"f", "m"};
  const auto loader = Load("age,sex,y\n50,m,0\n60,f,1\n").value();
  EXPECT_THAT(GatherAll(loader->train()).samples, ElementsAre(50, 0, 1, 60, 1, 0));
  Refuses("age,sex,y\n50,x,0\n", "train.csv:2: column sex is \"x\", which is not among its words");
}

TEST_F(CsvLoader, KnowsClassesByWordAndBinaryAndRealTargets) {
  settings_.classes = {"benign", "malignant"};
  EXPECT_THAT(GatherAll(Load("x,y\n1,malignant\n2,benign\n").value()->train()).targets,
              ElementsAre(1, 0));
  Refuses("x,y\n1,malign\n", "column y is \"malign\", which is not among the plan's classes");
  settings_.task = DataTask::kBinary;
  const auto binary = Load("x,y\n1,malignant\n").value();
  EXPECT_THAT(binary->train().target_shape(), ElementsAre(1));
  settings_.classes.clear();
  Refuses("x,y\n1,2\n", "train.csv:2: column y is 2, expected a class from 0 to 1");
  settings_.task = DataTask::kRegression;
  EXPECT_THAT(GatherAll(Load("x,y\n1,-2.5\n").value()->train()).targets, ElementsAre(-2.5));
}

TEST_F(CsvLoader, NormalisesByThePlanOrByTheSitesOwnTrainingRows) {
  settings_.table.normalise["a"] = {.mean = 10, .std = 2};
  settings_.table.standardise = true;
  const auto loader = Load("a,b,y\n12,1,0\n8,5,0\n", "a,b,y\n14,7,0\n").value();
  EXPECT_THAT(GatherAll(loader->train()).samples, ElementsAre(1, -1, -1, 1));
  EXPECT_THAT(GatherAll(loader->validation()).samples, ElementsAre(2, 2));
}

TEST_F(CsvLoader, StandardisesAColumnThatIsAlwaysTheSameToZero) {
  settings_.table.standardise = true;
  EXPECT_THAT(GatherAll(Load("a,y\n7,0\n7,1\n").value()->train()).samples, ElementsAre(0, 0));
}

TEST_F(CsvLoader, TreatsMissingValuesAsThePlanSays) {
  const std::string rows = "a,b,y\n,6,0\n9,?,1\n";
  Refuses(rows, "train.csv:2: column a is missing");
  settings_.table.normalise = {{"a", {.mean = 5, .std = 2}}, {"b", {.mean = 6, .std = 1}}};
  settings_.table.missing = MissingValue::kMean;
  EXPECT_THAT(GatherAll(Load(rows).value()->train()).samples, ElementsAre(0, 0, 2, 0));
  settings_.table.missing = MissingValue::kZero;
  EXPECT_THAT(GatherAll(Load(rows).value()->train()).samples, ElementsAre(-2.5, 0, 2, -6));
  Refuses("a,b,y\n1,1,NA\n", "train.csv:2: column y is missing; a row without a label");
}

TEST_F(CsvLoader, RefusesToFillInAMeanThatNobodyGave) {
  settings_.table.missing = MissingValue::kMean;
  Refuses("a,y\n1,0\n,1\n", "train.csv:3: column a is missing, and the plan gives no mean for it");
}

TEST_F(CsvLoader, GivesAMissingWordNoInput) {
  settings_.table.categorical["sex"] = {"f", "m"};
  Refuses("sex,y\nNA,0\n", "train.csv:2: column sex is missing");
  settings_.table.missing = MissingValue::kZero;
  EXPECT_THAT(GatherAll(Load("sex,y\nNA,0\n").value()->train()).samples, ElementsAre(0, 0));
}

TEST_F(CsvLoader, NamesTheLineOfWhatIsNoNumber) {
  Refuses("a,y\n1,0\n2,1\nabc,1\n", "train.csv:4: column a is \"abc\", expected a number");
  Refuses("a,y\n\"1,5\",0\n", "write decimals with a point");
  Refuses("a,y\n1e39,0\n", "train.csv:2: column a is \"1e39\"");
  Refuses("a,y\ninf,0\n", "train.csv:2: column a is \"inf\"");
  Refuses("a,y\n1x,0\n", "train.csv:2: column a is \"1x\"");
  Refuses("a,y\n1,1.5\n", "train.csv:2: column y is 1.5, expected a class");
}

TEST_F(CsvLoader, RefusesColumnsThatAreNotThere) {
  Refuses("a,z\n1,0\n", "train.csv: there is no column y, which the plan names");
  settings_.table.features = {"ag"};
  Refuses("age,y\n1,0\n", "did you mean age?");
  settings_.table.features = {"y"};
  Refuses("age,y\n1,0\n", "features has y, which is the label");
}

TEST_F(CsvLoader, RefusesRowsThatDoNotFitTheHeader) {
  Refuses("a,b,y\n1,2,0\n1,2\n", "train.csv:3: has 2 cells, but the header has 3");
  Refuses("a,y\n1,2,0\n", "train.csv:2: has 3 cells, but the header has 2");
  Refuses("a,a,y\n1,2,0\n", "train.csv:1: column 2 is called a like another");
  Refuses("a,,y\n1,2,0\n", "train.csv:1: column 2 has no name");
  Refuses("", "the file is empty");
  Refuses("a,y\n", "there are no rows below the header");
}

TEST_F(CsvLoader, HoldsAShareOfAFileOutAndCutsTheRest) {
  std::string rows = "x,y\n";
  for (int i = 0; i < 100; ++i) rows += std::to_string(i) + "," + std::to_string(i % 2) + "\n";
  Write("all.csv", rows);
  settings_.dataset = folder_.path() / "all.csv";
  settings_.collaborator_count = 4;
  settings_.validation_share = 0.2;
  std::vector<float> seen;
  for (const char* k : {"1", "2", "3", "4"}) {
    const auto loader = MakeDataLoader(settings_, k).value();
    EXPECT_EQ(loader->train().size(), 20);
    EXPECT_EQ(loader->validation().size(), 5);
    for (const DataSet* part : {&loader->train(), &loader->validation()}) {
      const Gathered all = GatherAll(*part);
      for (std::size_t i = 0; i < all.samples.size(); ++i)
        EXPECT_EQ(static_cast<int>(all.samples[i]) % 2, static_cast<int>(all.targets[i]));
      seen.insert(seen.end(), all.samples.begin(), all.samples.end());
    }
  }
  std::ranges::sort(seen);
  ASSERT_THAT(seen, SizeIs(100));
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(seen[i], static_cast<float>(i));
}

class Csv : public ::testing::Test {
 protected:
  Result<CsvTable> Read(const std::string& text, char separator = ',') const {
    FX_CHECK(AtomicWrite(folder_.path() / "t.csv", text).has_value());
    return ReadCsv(folder_.path() / "t.csv", separator);
  }
  const TempDir folder_;
};

TEST_F(Csv, ReadsQuotesBlanksLineEndsAndAByteOrderMark) {
  const CsvTable table = Read(
                             "\xEF\xBB\xBF"
                             "a, b ,c\r\n\r\n1,\"x, \"\"y\"\"\nz\", 3 \r\n4,,6")
                             .value();
  EXPECT_THAT(table.header, ElementsAre("a", "b", "c"));
  ASSERT_THAT(table.rows, SizeIs(2));
  EXPECT_THAT(table.rows[0].cells, ElementsAre("1", "x, \"y\"\nz", "3"));
  EXPECT_THAT(table.rows[1].cells, ElementsAre("4", "", "6"));
  EXPECT_EQ(table.rows[0].line, 3U);
  EXPECT_EQ(table.rows[1].line, 5U);
}

TEST_F(Csv, ReadsOtherSeparatorsAndAnEmptyLastCell) {
  EXPECT_THAT(Read("a;b\n1,5;2\n", ';').value().rows[0].cells, ElementsAre("1,5", "2"));
  EXPECT_THAT(Read("a,b\n1,").value().rows[0].cells, ElementsAre("1", ""));
}

TEST_F(Csv, RefusesBadQuotesAndWhatIsNoText) {
  EXPECT_THAT(Read("a\n\"b\n"),
              IsError(ErrorCode::kInvalidArgument, "inside the quotes opened in line 2"));
  EXPECT_THAT(Read("a\n\"b\"c\n"),
              IsError(ErrorCode::kInvalidArgument, "t.csv:2: text follows a closing quote"));
  EXPECT_THAT(Read(std::string("a\nb\0c\n", 6)),
              IsError(ErrorCode::kInvalidArgument, "t.csv:2: holds a NUL byte"));
  EXPECT_THAT(Read(std::string("a\n\"b\n\0\"\n", 8)),
              IsError(ErrorCode::kInvalidArgument, "t.csv:3: holds a NUL byte"));
}

}  // namespace
}  // namespace fx::test
