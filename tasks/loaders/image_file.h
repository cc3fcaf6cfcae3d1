// Pictures: PNG, JPEG, and binary PPM or PGM.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

// Bytes in order [channels, height, width].
struct Picture {
  std::int64_t channels = 0, height = 0, width = 0;
  std::vector<std::uint8_t> pixels;
};

inline constexpr std::uint64_t kMaxImageFile = 256ULL << 20;
inline constexpr std::int64_t kMaxImagePixels = 1LL << 26;

// Whether the name ends like that of a picture: .png, .jpg, .jpeg, .ppm, .pgm.
bool IsPictureName(const Path& path);

// Reads a picture with 1 (grey; of colours the luminance) or 3 channels, leaving transparency out.
// A PNG's 16 bits become 8. Refuses, naming the file, one that is damaged or ends early (see
// tasks/loaders/picture_check.h), or that claims more than kMaxImagePixels, or more than its bytes
// can hold, before they are unpacked.
Result<Picture> ReadPicture(const Path& path, std::int64_t channels);

// Scaled to height and width: each pixel is interpolated between the four nearest (bilinear), or
// is the nearest.
enum class Scaling { kBilinear, kNearest };
Picture Resize(const Picture& picture, std::array<std::int64_t, 2> size, Scaling scaling);

}  // namespace fx
