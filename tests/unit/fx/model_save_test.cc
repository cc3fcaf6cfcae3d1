#include <gtest/gtest.h>

#include <string>

#include "fx/model/save.h"
#include "rpc/pbuf.h"
#include "tests/support/matchers.h"
#include "tests/support/run_command.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using test::TestIo;
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

  // Declares the options as fx/app.cc would, with these values.
  class Given : public Flags {
   public:
    explicit Given(std::string output) : output_(std::move(output)) {}
    void Text(const std::string& names, std::string* value, const std::string&) override {
      if (names.starts_with("-o")) *value = output_;
    }
    void RequiredText(const std::string&, std::string* value, const std::string&) override {
      *value = "best.pbuf";
    }
    void Switch(const std::string&, bool*, const std::string&) override {}
    void Number(const std::string&, std::int64_t*, const std::string&) override {}

   private:
    std::string output_;
  };

  static Status Save(TestIo& io, const std::string& output = "model.npz") {
    const auto command = MakeModelSave();
    Given given(output);
    command->Declare(given);
    return command->Run(io.io);
  }
};

TEST_F(ModelSaveTest, NumpyReadsBackEveryValue) {
  TestIo io;
  ASSERT_THAT(Save(io), IsOk());
  EXPECT_THAT(io.err.str(), HasSubstr("Model of round 4, 3 tensors with 8 parameters: model.npz"));
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
  TestIo io;
  EXPECT_THAT(Save(io), IsError(ErrorCode::kAlreadyExists, "model.npz exists already"));
  EXPECT_EQ(*ReadFile("model.npz"), "mine");
}

TEST_F(ModelSaveTest, AnExistingFileIsOverwrittenOnlyAfterAYes) {
  ASSERT_THAT(AtomicWrite("model.npz", "mine"), IsOk());
  TestIo no("\n", /*tty=*/true);
  EXPECT_THAT(Save(no), IsError(ErrorCode::kCancelled, "left as it is"));
  EXPECT_EQ(*ReadFile("model.npz"), "mine");
  TestIo yes("y\n", /*tty=*/true);
  ASSERT_THAT(Save(yes), IsOk());
  EXPECT_THAT(*ReadFile("model.npz"), StartsWith("PK"));
}

TEST_F(ModelSaveTest, AFileThatIsNoModelIsRefusedAndNothingIsMade) {
  ASSERT_THAT(AtomicWrite("best.pbuf", "not a model"), IsOk());
  TestIo io;
  EXPECT_THAT(Save(io), IsError(ErrorCode::kInvalidArgument, "best.pbuf is not an OpenFL model"));
  EXPECT_FALSE(Exists("model.npz"));
}

TEST(EncodeNpy, ValuesStartAtAMultipleOf64) {
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{100'000}, Shape{1, 2, 3, 4, 5, 6}}) {
    const Tensor tensor(shape);
    EXPECT_EQ((EncodeNpy(tensor).size() - tensor.bytes().size()) % 64, 0U) << ToString(shape);
  }
}

}  // namespace
}  // namespace fx
