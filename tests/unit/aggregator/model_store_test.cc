#include "aggregator/store/model_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/base/digest.h"
#include "tests/support/matchers.h"

namespace fx::aggregator {
namespace {

using test::IsError;
using test::IsOk;
using test::IsOkAndHolds;
using testing::ElementsAre;

Model OneTensor(float value) {
  Model model;
  model.push_back({"w", Tensor::FromFloats({1}, std::vector<float>{value})});
  return model;
}

class ModelStoreTest : public testing::Test {
 protected:
  ModelStoreTest() : store_(*ModelStore::Open(dir_.path() / "models")) {}

  TempDir dir_;
  ModelStore store_;
};

TEST_F(ModelStoreTest, GivesBackWhatWasAdded) {
  const Result<ModelId> id = store_.Add(OneTensor(2.5F));
  ASSERT_THAT(id, IsOk());
  const Result<ModelFile> file = store_.OpenModel(*id);
  ASSERT_THAT(file, IsOk());
  EXPECT_THAT(file->floats(0), ElementsAre(2.5F));
}

TEST_F(ModelStoreTest, KnowsTheFastDigestOfAModelUntilItIsPruned) {
  const ModelId id = *store_.Add(OneTensor(2.5F));
  FastDigest digest;
  digest.Update(AsBytes(*ReadFile(store_.PathOf(id))));
  EXPECT_THAT(store_.FastDigestOf(id), IsOkAndHolds(std::move(digest).FinishHex()));
  ASSERT_THAT(store_.Prune({}), IsOk());
  EXPECT_THAT(store_.FastDigestOf(id), IsError(ErrorCode::kNotFound, "model"));
}

TEST_F(ModelStoreTest, SharesOneMappingOfAModel) {
  const ModelId id = *store_.Add(OneTensor(2.5F));
  const ModelId other = *store_.Add(OneTensor(3.5F));
  const auto first = *store_.ShareModel(id);
  EXPECT_EQ(*store_.ShareModel(id), first);
  EXPECT_THAT((*store_.ShareModel(other))->floats(0), ElementsAre(3.5F));
  EXPECT_THAT((*store_.ShareModel(id))->floats(0), ElementsAre(2.5F));
}

TEST_F(ModelStoreTest, NamesAModelByTheDigestOfItsFile) {
  const ModelId id = *store_.Add(OneTensor(1));
  EXPECT_EQ(id.value, *ModelFileSha256(store_.PathOf(id)));
}

TEST_F(ModelStoreTest, KeepsEqualModelsOnce) {
  EXPECT_EQ(*store_.Add(OneTensor(1)), *store_.Add(OneTensor(1)));
  EXPECT_EQ(ListFolder(dir_.path() / "models")->size(), 1U);
}

TEST_F(ModelStoreTest, PrunesAllButTheKept) {
  const ModelId a = *store_.Add(OneTensor(1));
  const ModelId b = *store_.Add(OneTensor(2));
  ASSERT_THAT(store_.Prune(std::vector<ModelId>{b}), IsOk());
  EXPECT_THAT(store_.OpenModel(a), IsError(ErrorCode::kNotFound, a.value));
  EXPECT_THAT(store_.OpenModel(b), IsOk());
  ASSERT_THAT(store_.RemoveSpare(), IsOk());
  EXPECT_THAT(*ListFolder(dir_.path() / "models"), ElementsAre(store_.PathOf(b)));
}

TEST_F(ModelStoreTest, APrunedModelLendsItsPlaceToTheNext) {
  ASSERT_THAT(store_.Add(OneTensor(1)), IsOk());
  ASSERT_THAT(store_.Prune({}), IsOk());
  EXPECT_TRUE(Exists(store_.TempPath()));
  EXPECT_FALSE(Exists(store_.TempPath()));
}

TEST_F(ModelStoreTest, AModelThatIsBeingDownloadedLendsNothing) {
  const ModelId a = *store_.Add(OneTensor(1));
  const auto lent = *store_.ShareModel(a);
  ASSERT_THAT(store_.Prune({}), IsOk());
  EXPECT_FALSE(Exists(store_.TempPath()));
  EXPECT_THAT(lent->floats(0), ElementsAre(1.0F));
}

TEST_F(ModelStoreTest, StaysInItsFolderWhateverTheName) {
  ASSERT_THAT(AtomicWrite(dir_.path() / "secret.fxm", "x"), IsOk());
  EXPECT_THAT(store_.OpenModel({"../secret"}), IsError(ErrorCode::kNotFound, "../secret"));
  EXPECT_EQ(store_.PathOf({"../secret"}).parent_path(), dir_.path() / "models");
}

TEST_F(ModelStoreTest, ForgetsUnfinishedFilesOfADeadProcess) {
  ASSERT_THAT(AtomicWrite(store_.TempPath(), "half"), IsOk());
  ASSERT_THAT(ModelStore::Open(dir_.path() / "models"), IsOk());
  EXPECT_TRUE(ListFolder(dir_.path() / "models")->empty());
}

TEST_F(ModelStoreTest, NamesEveryTemporaryFileAnew) {
  EXPECT_NE(store_.TempPath(), store_.TempPath());
}

}  // namespace
}  // namespace fx::aggregator
