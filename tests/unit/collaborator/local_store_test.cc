#include "collaborator/local_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <string>

#include "core/base/digest.h"
#include "core/tensor/model_file.h"
#include "tests/support/matchers.h"

namespace fx::collaborator {
namespace {

using test::IsError;
using test::IsOk;
using testing::ElementsAre;
using testing::IsEmpty;

Model ModelOf(float value) {
  Model model;
  model.push_back({.name = "w", .tensor = Tensor::FromFloats({1}, {{value}})});
  return model;
}

FinishedTask Task(std::uint32_t round, const std::string& name) {
  return {.round = Round{round},
          .task = TaskName{name},
          .model = ModelId{std::string(64, 'a')},
          .sequence = 7,
          .num_samples = 30'000,
          .metrics = {{"loss", 0.1}, {"a metric", -1e-300}},
          .seconds = 2.0 / 3,
          .update = {},
          .size = 0,
          .optimizer = {}};
}

class LocalStoreTest : public testing::Test {
 protected:
  LocalStore Open() {
    auto store = LocalStore::Open(folder());
    EXPECT_THAT(store, IsOk());
    return *std::move(store);
  }
  // What a process started now would find.
  Remembered Found() { return Open().remembered(); }
  FinishedTask Add(const FinishedTask& task, const Model* trained, const Model* optimizer) {
    auto added = Open().Add(task, trained, optimizer);
    EXPECT_THAT(added, IsOk());
    return *added;
  }
  Path folder() const { return folder_.path() / "site1" / "plan.yaml_12345678"; }
  Path result(const std::string& name) const { return folder() / "results" / name; }

 private:
  TempDir folder_;
};

TEST_F(LocalStoreTest, RemembersAFinishedTaskExactly) {
  const Model trained = ModelOf(1), optimizer = ModelOf(2);
  const FinishedTask added = Add(Task(3, "train"), &trained, &optimizer);
  EXPECT_TRUE(added.trained());
  EXPECT_THAT(Found().finished, ElementsAre(added));
}

TEST_F(LocalStoreTest, ATasksNameCannotLeaveTheFolderOrForgeALine) {
  const FinishedTask added = Add(Task(3, "../../a b\nround 9"), nullptr, nullptr);
  EXPECT_THAT(Found().finished, ElementsAre(added));
  EXPECT_THAT(*ListFolder(folder() / "results"),
              ElementsAre(result("00000003-%2e%2e%2f%2e%2e%2fa%20b%0around%209.result")));
}

TEST_F(LocalStoreTest, PassesOverAResultWhoseTensorsAreDamagedOrGone) {
  const Model trained = ModelOf(1);
  const FinishedTask first = Add(Task(1, "train"), &trained, nullptr);
  const FinishedTask second = Add(Task(2, "train"), &trained, nullptr);
  const FinishedTask third = Add(Task(3, "train"), &trained, nullptr);
  ASSERT_THAT(RemoveIfExists(Open().UpdatePath(first)), IsOk());
  std::string bytes = *ReadFile(Open().UpdatePath(second));
  bytes.back() ^= 1;
  ASSERT_THAT(AtomicWrite(Open().UpdatePath(second), bytes), IsOk());
  EXPECT_THAT(Found().finished, ElementsAre(third));
}

TEST_F(LocalStoreTest, TensorsWithoutARecordAreNoResult) {
  const Model trained = ModelOf(1);
  Add(Task(1, "train"), &trained, nullptr);
  ASSERT_THAT(RemoveIfExists(result("00000001-train.result")), IsOk());
  EXPECT_THAT(Found().finished, IsEmpty());
}

TEST_F(LocalStoreTest, PassesOverEveryTruncatedRecord) {
  Add(Task(1, "train"), nullptr, nullptr);
  const Path path = result("00000001-train.result");
  const std::string whole = *ReadFile(path);
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
    ASSERT_THAT(AtomicWrite(path, whole.substr(0, size)), IsOk());
    EXPECT_THAT(Found().finished, IsEmpty()) << size;
  }
}

TEST_F(LocalStoreTest, KeepsOnlyWhatIsListedAndNothingHalfDone) {
  const Model trained = ModelOf(1), optimizer = ModelOf(2);
  const FinishedTask old = Add(Task(1, "train"), &trained, &optimizer);
  const FinishedTask kept = Add(Task(2, "train"), &trained, nullptr);
  const ModelId current{std::string(64, 'c')}, past{std::string(64, 'd')};
  {
    LocalStore store = Open();
    for (const Path& path :
         {store.ModelPath(past), Path(store.ModelPath(current).string() + ".part"),
          Path(store.ModelPath(past).string() + ".part"), result("left.fxm.tmp")}) {
      ASSERT_THAT(AtomicWrite(path, "bytes"), IsOk());
    }
    ASSERT_THAT(store.Keep({&current, 1}, {&kept, 1}), IsOk());
    EXPECT_TRUE(Exists(folder() / "models" / "spare") && Exists(result("spare")));
    ASSERT_THAT(store.RemoveSpares(), IsOk());
  }
  EXPECT_THAT(*ListFolder(folder() / "models"),
              ElementsAre(Path(Open().ModelPath(current).string() + ".part")));
  EXPECT_THAT(*ListFolder(folder() / "results"),
              ElementsAre(result("00000002-train.result"), result("00000002-train.update.fxm")));
}

TEST_F(LocalStoreTest, AModelTakesThePlaceOfOneThatIsNoLongerNeeded) {
  LocalStore store = Open();
  const ModelId past{std::string(64, 'd')}, next{std::string(64, 'e')};
  ASSERT_THAT(AtomicWrite(store.ModelPath(past), "bytes"), IsOk());
  ASSERT_THAT(store.Keep({}, {}), IsOk());
  ASSERT_THAT(store.ExpectModel(next, 5), IsOk());
  EXPECT_THAT(*ListFolder(folder() / "models"),
              ElementsAre(Path(store.ModelPath(next).string() + ".part")));
}

TEST_F(LocalStoreTest, AnUpdateInThePlaceOfALongerOneIsItself) {
  const Model trained = ModelOf(1);
  ASSERT_THAT(MakeFolders(folder() / "results"), IsOk());
  ASSERT_THAT(AtomicWrite(result("spare"), std::string(5000, 'x')), IsOk());
  const FinishedTask task = Add(Task(1, "train"), &trained, nullptr);
  EXPECT_THAT(Found().finished, ElementsAre(task));
  EXPECT_EQ(*FileSize(result("00000001-train.update.fxm")), task.size);
}

TEST_F(LocalStoreTest, RemembersTheClosedRoundAndTheModels) {
  const ModelId model{Sha256Hex(AsBytes("bytes"))};
  {
    LocalStore store = Open();
    EXPECT_EQ(store.remembered().closed, std::nullopt);
    ASSERT_THAT(store.MarkClosed(Round{12}), IsOk());
    ASSERT_THAT(AtomicWrite(store.ModelPath(model), "bytes"), IsOk());
    // A power cut may leave such a one: models are not forced to the disk.
    ASSERT_THAT(AtomicWrite(store.ModelPath(ModelId{std::string(64, 'c')}), "bytes"), IsOk());
  }
  EXPECT_EQ(Found().closed, Round{12});
  EXPECT_THAT(Found().models, ElementsAre(model));
}

TEST_F(LocalStoreTest, CanBeLookedAtWhileAProcessHasIt) {
  const FinishedTask sent = Add(Task(3, "judge"), nullptr, nullptr);
  const FinishedTask kept = Add(Task(3, "train"), nullptr, nullptr);
  LocalStore store = Open();
  ASSERT_THAT(store.MarkSent(sent), IsOk());
  const auto status = LocalStore::Look(folder());
  ASSERT_THAT(status, IsOk());
  EXPECT_TRUE(status->running);
  EXPECT_THAT(status->remembered.finished, ElementsAre(sent, kept));
  EXPECT_THAT(status->sent, ElementsAre(true, false));
}

TEST_F(LocalStoreTest, ForgetsThatAResultWasSentIfItsTaskIsRunAgain) {
  const FinishedTask first = Add(Task(3, "train"), nullptr, nullptr);
  ASSERT_THAT(Open().MarkSent(first), IsOk());
  Add(Task(3, "train"), nullptr, nullptr);
  EXPECT_THAT(LocalStore::Look(folder())->sent, ElementsAre(false));
}

// Written by the first version, and to be read by every later one. Never made anew.
TEST_F(LocalStoreTest, ReadsTheFolderOfTheFirstVersion) {
  std::filesystem::create_directories(folder());
  std::filesystem::copy(Path(FX_SOURCE_DIR) / "tests/unit/collaborator/testdata/site_v1", folder(),
                        std::filesystem::copy_options::recursive);
  const Remembered found = Found();
  EXPECT_EQ(found.closed, Round{2});
  EXPECT_THAT(found.models, ElementsAre(ModelId{Sha256Hex(AsBytes("bytes"))}));
  ASSERT_EQ(found.finished.size(), 2U);
  EXPECT_EQ(EncodeFinishedTask(found.finished[0]), EncodeFinishedTask(Task(3, "a task")));
  FinishedTask trained = found.finished[1];
  EXPECT_EQ(ModelFile::Open(Open().UpdatePath(trained))->Load()[0].tensor.floats()[0], 1);
  EXPECT_EQ(ModelFile::Open(Open().OptimizerPath(trained))->Load()[0].tensor.floats()[0], 2);
  trained.update = {};
  trained.size = 0;
  trained.optimizer = {};
  EXPECT_EQ(trained, Task(3, "train"));
}

TEST_F(LocalStoreTest, RefusesASecondProcessWithWords) {
  const LocalStore store = Open();
  EXPECT_THAT(LocalStore::Open(folder()),
              IsError(ErrorCode::kFailedPrecondition, "this collaborator already runs"));
}

TEST_F(LocalStoreTest, TellsAFolderItCannotUseFromASecondProcess) {
  std::filesystem::create_directories(folder() / "lock");
  EXPECT_THAT(LocalStore::Open(folder()),
              IsError(ErrorCode::kFailedPrecondition, "cannot use local_state"));
}

TEST(FinishedTaskText, KeepsNumbersThatAreNotFinite) {
  FinishedTask task = Task(1, "train");
  task.metrics = {{"loss", std::numeric_limits<double>::infinity()}};
  EXPECT_EQ(ParseFinishedTask(EncodeFinishedTask(task))->metrics, task.metrics);
}

TEST(FinishedTaskText, RefusesAnotherFormat) {
  EXPECT_THAT(ParseFinishedTask("fx-result 2\nend\n"),
              IsError(ErrorCode::kDataLoss, "fx-result 1"));
  EXPECT_THAT(ParseFinishedTask("fx-result 1\nmood good\nend\n"),
              IsError(ErrorCode::kDataLoss, "unknown field mood"));
  EXPECT_THAT(ParseFinishedTask("fx-result 1\nround minus\nend\n"),
              IsError(ErrorCode::kDataLoss, "minus is not a number"));
  EXPECT_THAT(ParseFinishedTask("fx-result 1\ntask a%2\nend\n"),
              IsError(ErrorCode::kDataLoss, "a%2 is not an escaped name"));
}

TEST(FinishedTaskText, IsWhatWasWrittenOrNothing) {
  const std::string text = EncodeFinishedTask(Task(1, "train"));
  ASSERT_THAT(ParseFinishedTask(text), IsOk());
  std::string twice = text;
  twice.insert(text.find("model "), "round 2\n");
  EXPECT_THAT(ParseFinishedTask(twice), IsError(ErrorCode::kDataLoss, "fields twice"));
  EXPECT_THAT(ParseFinishedTask(text + "more\n"),
              IsError(ErrorCode::kDataLoss, "more than fields"));
}

}  // namespace
}  // namespace fx::collaborator
