// Volumes in NIfTI form (1 and 2), plain or gzipped: how brain images are exchanged.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

// Values as the header scales them, the first axis fastest.
struct Volume {
  std::array<std::int64_t, 3> extents{};
  std::vector<float> values;
};

inline constexpr std::int64_t kMaxVoxels = 1LL << 29;

// Whether the name ends in .nii or .nii.gz.
bool IsVolumeName(const Path& path);

// Refuses, naming the file: what is no NIfTI file; other than three axes (those of one value do not
// count); values that are no real numbers, or not finite; more than kMaxVoxels, before they are
// read; a file that ends early.
Result<Volume> ReadVolume(const Path& path);

}  // namespace fx
