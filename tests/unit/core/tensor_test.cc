#include "core/tensor/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "tests/support/matchers.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using test::IsOkAndHolds;
using testing::Each;
using testing::ElementsAre;

TensorSpec Spec(std::string name, Shape shape, DType dtype = DType::kFloat32) {
  return {.name = std::move(name), .dtype = dtype, .shape = std::move(shape)};
}

TEST(DType, KnowsItsSizeNameAndCode) {
  EXPECT_EQ(SizeOf(DType::kFloat32), 4U);
  EXPECT_EQ(SizeOf(DType::kFloat64), 8U);
  EXPECT_EQ(SizeOf(DType::kInt32), 4U);
  EXPECT_EQ(SizeOf(DType::kInt64), 8U);
  EXPECT_EQ(Name(DType::kFloat64), "float64");
  EXPECT_THAT(ParseDType(4), IsOkAndHolds(DType::kInt64));
  EXPECT_THAT(ParseDType(0), IsError(ErrorCode::kInvalidArgument, "element type 0 is unknown"));
  EXPECT_THAT(ParseDType(5), IsError(ErrorCode::kInvalidArgument, "1 (float32)"));
}

TEST(Shape, CountsAndPrints) {
  EXPECT_EQ(NumElements({}), 1);
  EXPECT_EQ(NumElements({20, 1, 5, 5}), 500);
  EXPECT_EQ(NumElements({3, 0, 2}), 0);
  EXPECT_EQ(ToString(Shape{20, 1, 5, 5}), "[20, 1, 5, 5]");
  EXPECT_EQ(ToString(Shape{}), "[]");
}

TEST(Tensor, BeginsAsAlignedZeros) {
  const Tensor tensor({3, 5});
  EXPECT_EQ(tensor.dtype(), DType::kFloat32);
  EXPECT_EQ(tensor.num_elements(), 15);
  EXPECT_EQ(tensor.floats().size(), 15U);
  EXPECT_THAT(tensor.floats(), Each(0.0F));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.bytes().data()) % 64, 0U);
}

TEST(Tensor, HoldsScalarsAndNothing) {
  EXPECT_EQ(Tensor(Shape{}).floats().size(), 1U);
  EXPECT_TRUE(Tensor({0, 4}).bytes().empty());
  EXPECT_TRUE(Tensor().bytes().empty());
  EXPECT_EQ(Tensor().num_elements(), 0);
  EXPECT_EQ(Tensor(DType::kInt64, {2}).bytes().size(), 16U);
}

TEST(Tensor, CopiesOnlyWhenAsked) {
  const Tensor first = Tensor::FromFloats({2}, std::vector{1.0F, 2.0F});
  Tensor second = first.Clone();
  second.floats()[0] = 9.0F;
  EXPECT_THAT(first.floats(), ElementsAre(1.0F, 2.0F));
  EXPECT_THAT(second.floats(), ElementsAre(9.0F, 2.0F));
  EXPECT_FALSE(std::is_copy_constructible_v<Tensor>);
}

TEST(TensorDeathTest, RefusesToBeMisread) {
  EXPECT_DEATH((void)Tensor(DType::kInt32, {1}).floats(), "kFloat32");
  EXPECT_DEATH(Tensor({-1}), "extent");
  EXPECT_DEATH(Tensor::FromFloats({3}, std::vector{1.0F}), "size");
}

TEST(Layout, OfAModelListsItsTensors) {
  Model model;
  model.push_back({"w", Tensor({2, 3})});
  model.push_back({"n", Tensor(DType::kInt64, {})});
  EXPECT_EQ(LayoutOf(model), (Layout{Spec("w", {2, 3}), Spec("n", {}, DType::kInt64)}));
  EXPECT_EQ(LayoutOf(Clone(model)), LayoutOf(model));
  EXPECT_EQ(Spec("w", {2, 3}).byte_size(), 24U);
}

TEST(Layout, CheckSaysWhereTwoDiffer) {
  const Layout expected{Spec("conv1.weight", {20, 1, 5, 5}), Spec("conv1.bias", {20})};
  const auto complaint = [&](const Layout& actual) {
    const Status status = CheckLayout(actual, expected);
    return status ? "" : status.error().message();
  };
  EXPECT_THAT(CheckLayout(expected, expected), IsOk());
  EXPECT_EQ(complaint({Spec("conv1.weight", {20, 1, 3, 3}), expected[1]}),
            "tensor conv1.weight has shape [20, 1, 3, 3], expected [20, 1, 5, 5]");
  EXPECT_EQ(complaint({expected[0], Spec("conv1.bias", {20}, DType::kInt32)}),
            "tensor conv1.bias has type int32, expected float32");
  EXPECT_EQ(complaint({expected[1], expected[0]}),
            "tensor number 0 is named conv1.bias, expected conv1.weight");
  EXPECT_EQ(complaint({expected[0]}), "tensor conv1.bias is missing: 1 tensors, expected 2");
  EXPECT_EQ(complaint({expected[0], expected[1], Spec("x", {})}),
            "tensor x is one too many: 3 tensors, expected 2");
}

TEST(TensorTest, BorrowsMemoryAndCopiesItWhenCloned) {
  const std::vector<float> memory = {1, 2, 3, 4, 5, 6};
  const auto bytes = std::as_bytes(std::span(memory));
  Tensor copy;
  {
    const Tensor borrowed = Tensor::Borrow(DType::kFloat32, {2, 3}, bytes);
    EXPECT_EQ(borrowed.floats().data(), memory.data());
    copy = borrowed.Clone();
  }
  EXPECT_NE(std::as_const(copy).floats().data(), memory.data());
  EXPECT_TRUE(std::ranges::equal(copy.floats(), memory));
}

TEST(TensorTest, WillNotLetABorrowedOneBeWrittenTo) {
  const std::vector<float> memory(4);
  Tensor borrowed = Tensor::Borrow(DType::kFloat32, {4}, std::as_bytes(std::span(memory)));
  EXPECT_DEATH(static_cast<void>(borrowed.floats()), "borrowed");
  EXPECT_DEATH(static_cast<void>(borrowed.bytes()), "borrowed");
}

}  // namespace
}  // namespace fx
