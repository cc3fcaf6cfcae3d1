// Volumes, plain or gzipped: as many values as the extents say, all finite.
#include <cmath>

#include "tasks/loaders/nifti_file.h"
#include "tests/fuzz/fuzz.h"

namespace fx::fuzz {

// The first byte says whether the name of the file promises gzip.
void Try(std::string_view input) {
  static InputFile plain("in.nii");
  static InputFile zipped("in.nii.gz");
  if (input.empty()) return;
  InputFile& file = (input[0] & 1) != 0 ? zipped : plain;
  const auto volume = ReadVolume(file.Holding(input.substr(1)));
  if (!volume) {
    FX_CHECK(volume.error().OneLine().find("in.nii") != std::string::npos);
    return;
  }
  std::int64_t count = 1;
  for (const std::int64_t extent : volume->extents) {
    FX_CHECK(extent > 0);
    count *= extent;
  }
  FX_CHECK(volume->values.size() == static_cast<std::size_t>(count));
  for (const float value : volume->values) FX_CHECK(std::isfinite(value));
}

}  // namespace fx::fuzz
