// Files of MNIST's form: what is read has the size it claims, and is the same when written again.
#include <numeric>

#include "tasks/loaders/idx_file.h"
#include "tests/fuzz/fuzz.h"

namespace fx::fuzz {
namespace {

constexpr std::size_t kMostInflation = 1032;  // of deflate

std::string Written(const IdxArray& array) {
  std::string bytes = {0, 0, 8, static_cast<char>(array.extents.size())};
  for (const std::uint32_t extent : array.extents)
    for (unsigned shift = 32; shift > 0;) bytes += static_cast<char>(extent >> (shift -= 8));
  bytes.append(array.values.begin(), array.values.end());
  return bytes;
}

void CheckRank(std::string_view input, unsigned rank) {
  static InputFile file("in-idx");
  static InputFile copy("copy-idx");
  file.Holding(input);
  auto array = [&] {
    const MemoryBound bound(input, 2 * kMostInflation);
    return ReadIdx(file.path(), rank);
  }();
  if (!array) {
    FX_CHECK(array.error().OneLine().find("in-idx") != std::string::npos);
    return;
  }
  FX_CHECK(array->extents.size() == rank);
  const auto product = std::accumulate(array->extents.begin(), array->extents.end(),
                                       std::uint64_t{1}, std::multiplies<>());
  FX_CHECK(product == array->values.size());
  const auto again = ReadIdx(copy.Holding(Written(*array)), rank);
  FX_CHECK(again.has_value() && again->extents == array->extents);
  FX_CHECK(again->values == array->values);
}

}  // namespace

void Try(std::string_view input) {
  CheckRank(input, 1);
  CheckRank(input, 3);
}

}  // namespace fx::fuzz
