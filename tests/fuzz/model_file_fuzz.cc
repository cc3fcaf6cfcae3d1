// The model file: whatever opens is, byte for byte, what we would have written.
#include "core/base/digest.h"
#include "core/tensor/model_file.h"
#include "tests/fuzz/fuzz.h"

namespace fx::fuzz {
namespace {

void CheckHeader(std::string_view input) {
  const MemoryBound bound(input, 32);
  const auto layout = DecodeModelHeader(AsBytes(input));
  if (!layout) return;
  const std::string encoded = EncodeModelHeader(*layout);
  FX_CHECK(input.starts_with(encoded));
  FX_CHECK(MapModelFile(*layout).data_begin == encoded.size());
  FX_CHECK(MapModelFile(*layout).size <= 2 * kMaxModelBytes);
}

}  // namespace

void Try(std::string_view input) {
  CheckHeader(input);
  static InputFile file("model.fxm");
  static InputFile copy("copy.fxm");
  Model model;
  {
    const MemoryBound bound(input, 32);
    const auto opened = ModelFile::Open(file.Holding(input));
    if (!opened) return;
    model = opened->Load();
    FX_CHECK(LayoutOf(model) == opened->layout());
  }
  const auto written = WriteModelFile(copy.path(), model, DigestKind::kSha256);
  FX_CHECK(written.has_value());
  FX_CHECK(written->size == input.size() && written->digest == Sha256Hex(AsBytes(input)));
}

}  // namespace fx::fuzz
