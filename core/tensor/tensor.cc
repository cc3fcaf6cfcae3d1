#include "core/tensor/tensor.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#include "core/base/format.h"

namespace fx {
namespace {

constexpr std::align_val_t kAlignment{64};
constexpr std::size_t kHugePage = 2U << 20;

// Asks for huge pages where a block is large enough to hold some: the first touch of 40 MB of small
// pages costs as much as copying them ten times. Advice only; a kernel may not have them.
void PreferHugePages(std::byte* data, std::size_t size) {
  if (size < 2 * kHugePage) return;
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  const std::uintptr_t first = (begin + kHugePage - 1) / kHugePage * kHugePage;
  const std::uintptr_t last = (begin + size) / kHugePage * kHugePage;
  (void)::madvise(data + (first - begin), last - first, MADV_HUGEPAGE);
}

Status CheckSpec(const TensorSpec& actual, const TensorSpec& expected, std::size_t index) {
  if (actual.name != expected.name) {
    return Fail(ErrorCode::kInvalidArgument, format("tensor number {} is named {}, expected {}",
                                                    index, actual.name, expected.name));
  }
  if (actual.dtype != expected.dtype) {
    return Fail(ErrorCode::kInvalidArgument,
                format("tensor {} has type {}, expected {}", actual.name, Name(actual.dtype),
                       Name(expected.dtype)));
  }
  if (actual.shape != expected.shape) {
    return Fail(ErrorCode::kInvalidArgument,
                format("tensor {} has shape {}, expected {}", actual.name, ToString(actual.shape),
                       ToString(expected.shape)));
  }
  return Ok();
}

}  // namespace

std::size_t SizeOf(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kInt32 ? 4 : 8;
}

std::string_view Name(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return "float32";
    case DType::kFloat64:
      return "float64";
    case DType::kInt32:
      return "int32";
    case DType::kInt64:
      return "int64";
  }
  return "unknown";
}

Result<DType> ParseDType(unsigned code) {
  if (code < 1 || code > 4) {
    return Fail(ErrorCode::kInvalidArgument,
                format("element type {} is unknown, expected 1 (float32), 2 (float64), 3 (int32) "
                       "or 4 (int64)",
                       code));
  }
  return static_cast<DType>(code);
}

std::int64_t NumElements(const Shape& shape) {
  std::int64_t n = 1;
  for (const std::int64_t extent : shape) n *= extent;
  return n;
}

std::string ToString(const Shape& shape) {
  std::string text = "[";
  for (const std::int64_t extent : shape) {
    text += format("{}{}", text.size() > 1 ? ", " : "", extent);
  }
  return text + "]";
}

Status CheckLayout(const Layout& actual, const Layout& expected) {
  const std::size_t common = std::min(actual.size(), expected.size());
  for (std::size_t i = 0; i < common; ++i) {
    TRY(CheckSpec(actual[i], expected[i], i));
  }
  if (actual.size() < expected.size()) {
    return Fail(ErrorCode::kInvalidArgument,
                format("tensor {} is missing: {} tensors, expected {}", expected[common].name,
                       actual.size(), expected.size()));
  }
  if (actual.size() > expected.size()) {
    return Fail(ErrorCode::kInvalidArgument,
                format("tensor {} is one too many: {} tensors, expected {}", actual[common].name,
                       actual.size(), expected.size()));
  }
  return Ok();
}

void Tensor::Free::operator()(std::byte* p) const {
  if (!borrowed) ::operator delete[](p, kAlignment);
}

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)) {
  FX_CHECK(shape_.size() <= kMaxRank);
  FX_CHECK(std::ranges::all_of(shape_, [](std::int64_t extent) { return extent >= 0; }));
  size_ = static_cast<std::size_t>(NumElements(shape_)) * SizeOf(dtype);
  data_.reset(static_cast<std::byte*>(::operator new[](size_, kAlignment)));
  PreferHugePages(data_.get(), size_);
  std::memset(data_.get(), 0, size_);
}

Tensor Tensor::FromFloats(Shape shape, std::span<const float> values) {
  Tensor tensor(std::move(shape));
  FX_CHECK(tensor.floats().size() == values.size());
  std::ranges::copy(values, tensor.floats().begin());
  return tensor;
}

Tensor Tensor::Borrow(DType dtype, Shape shape, std::span<const std::byte> bytes) {
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.shape_ = std::move(shape);
  tensor.size_ = bytes.size();
  FX_CHECK(tensor.size_ == static_cast<std::size_t>(tensor.num_elements()) * SizeOf(dtype));
  // Never written to: every way to its bytes that could is checked.
  tensor.data_ = {const_cast<std::byte*>(bytes.data()), Free{.borrowed = true}};
  return tensor;
}

Tensor Tensor::Clone() const {
  Tensor copy(dtype_, shape_);
  std::ranges::copy(bytes(), copy.bytes().begin());
  return copy;
}

std::span<std::byte> Tensor::bytes() {
  FX_CHECK(!data_.get_deleter().borrowed);
  return {data_.get(), size_};
}

std::span<float> Tensor::floats() {
  FX_CHECK(dtype_ == DType::kFloat32 && !data_.get_deleter().borrowed);
  return {reinterpret_cast<float*>(data_.get()), size_ / sizeof(float)};
}

std::span<const float> Tensor::floats() const {
  FX_CHECK(dtype_ == DType::kFloat32);
  return {reinterpret_cast<const float*>(data_.get()), size_ / sizeof(float)};
}

Layout LayoutOf(const Model& model) {
  Layout layout;
  layout.reserve(model.size());
  for (const NamedTensor& t : model) {
    layout.push_back({.name = t.name, .dtype = t.tensor.dtype(), .shape = t.tensor.shape()});
  }
  return layout;
}

Model Clone(const Model& model) {
  Model copy;
  copy.reserve(model.size());
  for (const NamedTensor& t : model) copy.push_back({t.name, t.tensor.Clone()});
  return copy;
}

}  // namespace fx
