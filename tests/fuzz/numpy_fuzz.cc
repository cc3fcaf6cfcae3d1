// numpy's arrays, alone and in a zip archive: as many values as the shape says, all finite.
#include <cmath>

#include "tasks/loaders/npy_file.h"
#include "tasks/loaders/npz.h"
#include "tests/fuzz/fuzz.h"

namespace fx::fuzz {
namespace {

void CheckArray(std::string_view text) {
  const MemoryBound bound(text, 8);
  const auto array = ParseNpy(text, "in.npy");
  if (!array) {
    FX_CHECK(array.error().OneLine().find("in.npy") != std::string::npos);
    return;
  }
  const auto count = static_cast<std::size_t>(NumElements(array->shape));
  FX_CHECK(count > 0 && count == array->bytes.size() + array->values.size());
  for (const float value : array->values) FX_CHECK(std::isfinite(value));
}

void CheckArchive(std::string_view bytes) {
  static InputFile file("in.npz");
  const auto loader = MakeNpzDataLoader({}, file.Holding(bytes));
  if (!loader) {
    FX_CHECK(loader.error().OneLine().find("in.npz") != std::string::npos);
    return;
  }
  FX_CHECK((*loader)->train().size() > 0 && (*loader)->validation().size() > 0);
  FX_CHECK((*loader)->train().sample_shape() == (*loader)->validation().sample_shape());
}

}  // namespace

void Try(std::string_view input) {
  CheckArray(input);
  CheckArchive(input);
}

}  // namespace fx::fuzz
