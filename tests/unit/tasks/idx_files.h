// Writes IDX files, right and wrong ones.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/file.h"

namespace fx::test {

inline std::string Idx(const std::vector<std::uint32_t>& extents, const std::string& values) {
  std::string bytes = {0, 0, 8, static_cast<char>(extents.size())};
  for (const std::uint32_t extent : extents) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(extent >> shift);
  }
  return bytes + values;
}

inline std::string Gzip(const std::string& plain) {
  z_stream stream{};
  FX_CHECK(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(plain.size() + 1000, '\0');
  std::string input = plain;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  FX_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

// `count` images of 2 x 3 whose pixels all equal 10 x index, with label index % 10.
inline std::string Images(std::uint32_t count) {
  std::string pixels;
  for (std::uint32_t i = 0; i < count; ++i) pixels.append(6, static_cast<char>(10 * i));
  return Idx({count, 2, 3}, pixels);
}
inline std::string Labels(std::uint32_t count) {
  std::string labels;
  for (std::uint32_t i = 0; i < count; ++i) labels += static_cast<char>(i % 10);
  return Idx({count}, labels);
}

inline void WriteDataSet(const Path& folder, std::uint32_t train, std::uint32_t validation) {
  FX_CHECK(AtomicWrite(folder / "train-images-idx3-ubyte", Images(train)).has_value());
  FX_CHECK(AtomicWrite(folder / "train-labels-idx1-ubyte", Labels(train)).has_value());
  FX_CHECK(AtomicWrite(folder / "t10k-images-idx3-ubyte", Images(validation)).has_value());
  FX_CHECK(AtomicWrite(folder / "t10k-labels-idx1-ubyte", Labels(validation)).has_value());
}

}  // namespace fx::test
