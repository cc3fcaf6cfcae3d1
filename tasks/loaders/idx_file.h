// IDX files, plain or gzipped: the format in which MNIST and its descendants are distributed.
//
//   u8 0  u8 0  u8 type  u8 rank  u32 extent x rank (big-endian)  values, row-major
//
// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

// Bytes in rows of extents[1] x extents[2] x ...
struct IdxArray {
  std::vector<std::uint32_t> extents;
  std::vector<std::uint8_t> values;
};

// Bounds on what a file may hold or claim.
inline constexpr std::uint64_t kMaxIdxFile = 2ULL << 30;
inline constexpr std::uint64_t kMaxIdxValues = 2ULL << 30;

// Reads a file of unsigned bytes (type 8) of the given rank. gzip is told by its magic, not by the
// name. Nothing is allocated for values before the claimed size has been held against the bytes
// that are there. Refuses, naming the file and what is wrong: another magic, type or rank; an
// extent of zero; a file that ends early or goes on; a damaged gzip stream.
Result<IdxArray> ReadIdx(const Path& path, unsigned rank);

}  // namespace fx
