#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "fx/model/save.h"
#include "rpc/pbuf.h"
#include "tests/support/matchers.h"
#include "tests/support/run_command.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using test::IsOk;
using testing::HasSubstr;
using testing::StartsWith;

class ModelSaveTest : public test::VerbTest {
 protected:
  ModelSaveTest() {
    Model model;
    model.push_back({.name = "conv1.weight",
                     .tensor = Tensor::FromFloats({2, 1, 2}, {{1.5F, -2.25F, 0.1F, 1e-30F}})});
    model.push_back({.name = "fc.bias", .tensor = Tensor::FromFloats({3}, {{1.0F, 2.0F, 3.0F}})});
    model.push_back({.name = "scale", .tensor = Tensor::FromFloats({}, {{7.0F}})});
    EXPECT_THAT(WritePbuf("best.pbuf", model, 4), IsOk());
  }

  ExitCode Save(const std::string& typed = "") {
    return Run({"model", "save", "-i", "best.pbuf", "-o", "model.npz"}, typed);
  }
};

TEST_F(ModelSaveTest, NumpyReadsBackEveryValue) {
  ASSERT_EQ(Save(), ExitCode::kDone) << err();
  EXPECT_THAT(err(), HasSubstr("Model of round 4, 3 tensors with 8 parameters: model.npz"));
  const auto numpy = test::RunCommand(
      "/usr/bin/python3 -c \"import numpy\n"
      "for name, a in numpy.load('model.npz', allow_pickle=False).items():\n"
      "  print(name, a.dtype.str, a.shape, a.flags.c_contiguous, a.tolist())\"");
  EXPECT_EQ(numpy.output,
            "conv1.weight <f4 (2, 1, 2) True "
            "[[[1.5, -2.25]], [[0.10000000149011612, 1.0000000031710769e-30]]]\n"
            "fc.bias <f4 (3,) True [1.0, 2.0, 3.0]\n"
            "scale <f4 () True 7.0\n");
}

TEST_F(ModelSaveTest, AnExistingFileIsLeftAloneWhenNobodyCanBeAsked) {
  ASSERT_THAT(AtomicWrite("model.npz", "mine"), IsOk());
  EXPECT_EQ(Save(), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("model.npz exists already"));
  EXPECT_EQ(*ReadFile("model.npz"), "mine");
}

TEST_F(ModelSaveTest, AnExistingFileIsOverwrittenOnlyAfterAYes) {
  ASSERT_THAT(AtomicWrite("model.npz", "mine"), IsOk());
  EXPECT_EQ(Save("\n"), ExitCode::kCancelled);
  EXPECT_THAT(err(), HasSubstr("left as it is"));
  EXPECT_EQ(*ReadFile("model.npz"), "mine");
  ASSERT_EQ(Save("y\n"), ExitCode::kDone) << err();
  EXPECT_THAT(*ReadFile("model.npz"), StartsWith("PK"));
}

TEST_F(ModelSaveTest, AFileThatIsNoModelIsRefusedAndNothingIsMade) {
  ASSERT_THAT(AtomicWrite("best.pbuf", "not a model"), IsOk());
  EXPECT_EQ(Save(), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("best.pbuf is not an OpenFL model file"));
  EXPECT_FALSE(Exists("model.npz"));
}

TEST_F(ModelSaveTest, TakesOpenFlsOptionsToo) {
  EXPECT_EQ(Run({"model", "save", "--input", "best.pbuf", "-p", "plan/plan.yaml", "-c",
                 "plan/cols.yaml", "-d", "plan/data.yaml", "-f", "[1,28,28]"}),
            ExitCode::kDone)
      << err();
  EXPECT_TRUE(Exists("output_model"));
}

TEST(EncodeNpy, ValuesStartAtAMultipleOf64) {
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{100'000}, Shape{1, 2, 3, 4, 5, 6}}) {
    const Tensor tensor(shape);
    EXPECT_EQ((EncodeNpy(tensor).size() - tensor.bytes().size()) % 64, 0U) << ToString(shape);
  }
}

}  // namespace
}  // namespace fx
