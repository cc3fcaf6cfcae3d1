#include "tasks/loaders/image_file.h"

#include <stb/stb_image.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <memory>
#include <set>
#include <string>

#include "core/base/format.h"
#include "tasks/loaders/picture_check.h"

namespace fx {
namespace {

Error Broken(const Path& path, const std::string& why) {
  return Error(ErrorCode::kDataLoss,
               format("{}: the picture is damaged, or none: {}", path.string(), why))
      .Hint("PNG, JPEG, binary PPM and PGM are read");
}

Error NotDecoded(const Path& path) {
  const char* why = stbi_failure_reason();
  return Broken(path, why != nullptr ? why : "it cannot be read");
}

// Checks what a picture claims to be before it is unpacked. A byte
// holds at most 8 pixels of one bit, and is at best a 1032nd of what deflate makes of it; JPEG's
// bit for a block of 64 pixels is less than that.
Status CheckClaim(const Path& path, std::size_t bytes, std::int64_t height, std::int64_t width) {
  constexpr std::int64_t kMostPixelsPerByte = 8 * 1032;
  if (width * height > kMaxImagePixels) {
    return Fail(ErrorCode::kResourceExhausted,
                format("{}: is {} x {} pixels, more than the {} that are read", path.string(),
                       height, width, kMaxImagePixels));
  }
  if (width * height <= static_cast<std::int64_t>(bytes) * kMostPixelsPerByte) return Ok();
  return Fail(Broken(path, format("it claims {} x {} pixels in {} bytes", height, width, bytes)));
}

struct Release {
  void operator()(stbi_uc* pixels) const { stbi_image_free(pixels); }
};

// Where the middle of pixel `i` of `to` lies among `from` pixels, which are counted from their
// middles.
double SourceAt(std::int64_t i, std::int64_t from, std::int64_t to) {
  const double at =
      (static_cast<double>(i) + 0.5) * static_cast<double>(from) / static_cast<double>(to) - 0.5;
  return std::clamp(at, 0.0, static_cast<double>(from - 1));
}

class Plane {
 public:
  Plane(const Picture& picture, std::int64_t channel)
      : pixels_(picture.pixels.data() + channel * picture.height * picture.width),
        height_(picture.height),
        width_(picture.width) {}

  std::uint8_t Nearest(double y, double x) const { return At(std::llround(y), std::llround(x)); }

  std::uint8_t Bilinear(double y, double x) const {
    const auto top = static_cast<std::int64_t>(y);
    const auto left = static_cast<std::int64_t>(x);
    const std::int64_t bottom = std::min(top + 1, height_ - 1);
    const std::int64_t right = std::min(left + 1, width_ - 1);
    const double down = y - static_cast<double>(top);
    const double across = x - static_cast<double>(left);
    const double upper = At(top, left) * (1 - across) + At(top, right) * across;
    const double lower = At(bottom, left) * (1 - across) + At(bottom, right) * across;
    return static_cast<std::uint8_t>(std::lround(upper * (1 - down) + lower * down));
  }

 private:
  std::uint8_t At(std::int64_t y, std::int64_t x) const { return pixels_[y * width_ + x]; }

  const std::uint8_t* pixels_;
  std::int64_t height_, width_;
};

}  // namespace

bool IsPictureName(const Path& path) {
  std::string end = path.extension().string();
  std::ranges::transform(end, end.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::set<std::string> known = {".png", ".jpg", ".jpeg", ".ppm", ".pgm"};
  return known.contains(end);
}

Result<Picture> ReadPicture(const Path& path, std::int64_t channels) {
  const std::string bytes = TRY(ReadFile(path, kMaxImageFile));
  const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
  const int size = static_cast<int>(bytes.size());
  if (const std::string fault = PictureFault(bytes); !fault.empty())
    return Fail(Broken(path, fault));
  int width = 0, height = 0, found = 0;
  if (stbi_info_from_memory(data, size, &width, &height, &found) == 0 || width < 1 || height < 1)
    return Fail(NotDecoded(path));
  TRY(CheckClaim(path, bytes.size(), height, width));
  const std::unique_ptr<stbi_uc, Release> pixels(
      stbi_load_from_memory(data, size, &width, &height, &found, static_cast<int>(channels)));
  if (!pixels) return Fail(NotDecoded(path));
  Picture picture{.channels = channels, .height = height, .width = width, .pixels = {}};
  const auto plane = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  const auto count = static_cast<std::size_t>(channels);
  picture.pixels.resize(plane * count);
  for (std::size_t i = 0; i < plane; ++i)
    for (std::size_t c = 0; c < count; ++c)
      picture.pixels[c * plane + i] = pixels.get()[i * count + c];
  return picture;
}

Picture Resize(const Picture& picture, std::array<std::int64_t, 2> size, Scaling scaling) {
  const auto [height, width] = size;
  Picture out{.channels = picture.channels, .height = height, .width = width, .pixels = {}};
  out.pixels.reserve(static_cast<std::size_t>(picture.channels * height * width));
  for (std::int64_t c = 0; c < picture.channels; ++c) {
    const Plane plane(picture, c);
    for (std::int64_t i = 0; i < height; ++i) {
      const double y = SourceAt(i, picture.height, height);
      for (std::int64_t j = 0; j < width; ++j) {
        const double x = SourceAt(j, picture.width, width);
        out.pixels.push_back(scaling == Scaling::kNearest ? plane.Nearest(y, x)
                                                          : plane.Bilinear(y, x));
      }
    }
  }
  return out;
}

}  // namespace fx
