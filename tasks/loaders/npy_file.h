// Arrays of numpy: .npy files, and .npz files, which are zip archives of them.
//
//   "\x93NUMPY"  u8 version  u8 0  u16 (version 1) or u32 length  header  values
//
// The header is a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
// Source: numpy.lib.format in numpy's documentation.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/tensor/tensor.h"

namespace fx {

// Row-major. Numbers of any type but unsigned bytes are converted to float32.
struct NpyArray {
  Shape shape;
  std::vector<std::uint8_t> bytes;  // one of the two
  std::vector<float> values;
};

inline constexpr std::uint64_t kMaxNpyFile = 4ULL << 30;

// An array from the text of an .npy file; `name` is what errors call it. Types: u1, i1, i2, u2, i4,
// i8, f4, f8 in little-endian order, and bool. Refuses other types, Fortran order, an empty array,
// a size that does not match the header, and a number that is not finite (with its index).
Result<NpyArray> ParseNpy(std::string_view text, const std::string& name);

// The arrays `wanted` from an .npz file, or from a folder of .npy files. Each must be there.
Result<std::map<std::string, NpyArray>> ReadArrays(const Path& path,
                                                   const std::vector<std::string>& wanted);

}  // namespace fx
