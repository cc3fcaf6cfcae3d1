// Dense tensors: a type, a shape, and row-major bytes. The unit everything numeric exchanges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace fx {

// Element types. The values are those of the model file (docs/internals/model-format.md).
enum class DType : std::uint8_t { kFloat32 = 1, kFloat64 = 2, kInt32 = 3, kInt64 = 4 };

std::size_t SizeOf(DType dtype);          // bytes an element
std::string_view Name(DType dtype);       // "float32"
Result<DType> ParseDType(unsigned code);  // from a file or the wire

// Extents, outermost first; empty for a scalar. At most kMaxRank of them.
using Shape = std::vector<std::int64_t>;
inline constexpr std::size_t kMaxRank = 12;

std::int64_t NumElements(const Shape& shape);  // 1 for a scalar
std::string ToString(const Shape& shape);      // "[20, 1, 5, 5]"

// What a tensor is, without its values.
struct TensorSpec {
  std::string name;
  DType dtype = DType::kFloat32;
  Shape shape;
  bool operator==(const TensorSpec&) const = default;
  std::uint64_t byte_size() const {
    return static_cast<std::uint64_t>(NumElements(shape)) * SizeOf(dtype);
  }
};

// The tensors of a model in their order; names are unique. Two parties exchange updates only if
// their layouts are equal.
using Layout = std::vector<TensorSpec>;

// Says in one sentence where `actual` differs from `expected`: "tensor conv1.weight has shape
// [20, 1, 3, 3], expected [20, 1, 5, 5]". OK if they are equal.
Status CheckLayout(const Layout& actual, const Layout& expected);

// A tensor's values: 64-byte aligned, zero-initialised, move-only (copies are asked for). Usually
// it owns them; a borrowed one looks at memory of somebody else, who must outlive it, and is
// read-only.
class Tensor {
 public:
  Tensor() = default;
  Tensor(DType dtype, Shape shape);
  explicit Tensor(Shape shape) : Tensor(DType::kFloat32, std::move(shape)) {}
  static Tensor FromFloats(Shape shape, std::span<const float> values);
  // Checked: `bytes` are as many as the shape has.
  static Tensor Borrow(DType dtype, Shape shape, std::span<const std::byte> bytes);

  Tensor(Tensor&&) noexcept = default;
  Tensor& operator=(Tensor&&) noexcept = default;
  Tensor Clone() const;

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::int64_t num_elements() const { return NumElements(shape_); }

  std::span<std::byte> bytes();  // checked: not borrowed
  std::span<const std::byte> bytes() const { return {data_.get(), size_}; }
  // Checked: dtype() is kFloat32; what may be written to is not borrowed.
  std::span<float> floats();
  std::span<const float> floats() const;

 private:
  struct Free {
    bool borrowed;  // false unless said
    void operator()(std::byte* p) const;
  };
  DType dtype_ = DType::kFloat32;
  Shape shape_{0};
  std::size_t size_ = 0;
  std::unique_ptr<std::byte[], Free> data_;  // NOLINT(modernize-avoid-c-arrays)
};

// Named tensors in a fixed order.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};
using Model = std::vector<NamedTensor>;

Layout LayoutOf(const Model& model);
Model Clone(const Model& model);

}  // namespace fx
