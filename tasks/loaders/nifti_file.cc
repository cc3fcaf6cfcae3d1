#include "tasks/loaders/nifti_file.h"

#include <nifti2_io.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <string>

#include "core/base/format.h"

namespace fx {
namespace {

struct FreeImage {
  void operator()(nifti_image* image) const { nifti_image_free(image); }
};
using Image = std::unique_ptr<nifti_image, FreeImage>;

Error Refuse(const Path& path, const std::string& what) {
  return {ErrorCode::kInvalidArgument, format("{}: {}", path.string(), what)};
}

Error Truncated(const Path& path, const nifti_image& image) {
  return {ErrorCode::kDataLoss,
          format("{}: the file is damaged, or truncated: its header promises {} values",
                 path.string(), image.nvox)};
}

Status CheckHeader(const Path& path, const nifti_image& image) {
  if (image.ndim < 1 || image.ndim > 7) return Fail(Refuse(path, "has no axes"));
  std::int64_t voxels = 1;
  for (std::int64_t axis = 1; axis <= image.ndim; ++axis) {
    const std::int64_t extent = image.dim[axis];
    if (extent < 1 || extent > kMaxVoxels / voxels) {
      return Fail(Refuse(path, format("axis {} has {} values; the volume is empty, or of more "
                                      "than the {} values that are read",
                                      axis, extent, kMaxVoxels)));
    }
    if (axis > 3 && extent > 1) {
      return Fail(Refuse(path, format("has {} values along axis {}, expected a volume of three "
                                      "axes",
                                      extent, axis)));
    }
    voxels *= extent;
  }
  return Ok();
}

// libnifti takes memory for all values before it looks at the file.
Status CheckClaim(const Path& path, const nifti_image& image) {
  constexpr std::uint64_t kMaxInflation = 1032;  // of deflate: 258 bytes for two bits
  std::error_code error;
  const std::uint64_t there = std::filesystem::file_size(path, error);
  const std::uint64_t most = path.extension() == ".gz" ? there * kMaxInflation : there;
  const auto claimed = static_cast<std::uint64_t>(image.nvox * image.nbyper);
  if (!error && claimed <= most) return Ok();
  return Fail(Truncated(path, image));
}

template <typename T>
void Convert(const nifti_image& image, std::vector<float>& out) {
  const bool scaled = image.scl_slope != 0 && std::isfinite(image.scl_slope);
  const double slope = scaled ? image.scl_slope : 1;
  const double offset = scaled ? image.scl_inter : 0;
  const auto* bytes = static_cast<const char*>(image.data);
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value{};
    std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
    out[i] = static_cast<float>(static_cast<double>(value) * slope + offset);
  }
}

Status ConvertValues(const Path& path, const nifti_image& image, std::vector<float>& out) {
  switch (image.datatype) {
    case NIFTI_TYPE_UINT8:
      Convert<std::uint8_t>(image, out);
      return Ok();
    case NIFTI_TYPE_INT8:
      Convert<std::int8_t>(image, out);
      return Ok();
    case NIFTI_TYPE_INT16:
      Convert<std::int16_t>(image, out);
      return Ok();
    case NIFTI_TYPE_UINT16:
      Convert<std::uint16_t>(image, out);
      return Ok();
    case NIFTI_TYPE_INT32:
      Convert<std::int32_t>(image, out);
      return Ok();
    case NIFTI_TYPE_UINT32:
      Convert<std::uint32_t>(image, out);
      return Ok();
    case NIFTI_TYPE_INT64:
      Convert<std::int64_t>(image, out);
      return Ok();
    case NIFTI_TYPE_UINT64:
      Convert<std::uint64_t>(image, out);
      return Ok();
    case NIFTI_TYPE_FLOAT32:
      Convert<float>(image, out);
      return Ok();
    case NIFTI_TYPE_FLOAT64:
      Convert<double>(image, out);
      return Ok();
    default:
      return Fail(Refuse(path, format("holds values of type {}, expected integers or floats",
                                      nifti_datatype_string(image.datatype))));
  }
}

}  // namespace

bool IsVolumeName(const Path& path) {
  const std::string name = path.filename().string();
  return name.ends_with(".nii") || name.ends_with(".nii.gz");
}

Result<Volume> ReadVolume(const Path& path) {
  nifti_set_debug_level(0);
  const Image image(nifti_image_read(path.c_str(), 0));
  if (!image) return Fail(Refuse(path, "is no NIfTI file, or its header is damaged"));
  TRY(CheckHeader(path, *image));
  Volume volume;
  std::int64_t voxels = 1;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const bool there = static_cast<std::int64_t>(axis) < image->ndim;
    volume.extents[axis] = there ? image->dim[axis + 1] : 1;
    voxels *= volume.extents[axis];
  }
  TRY(CheckClaim(path, *image));
  if (nifti_image_load(image.get()) != 0) return Fail(Truncated(path, *image));
  volume.values.resize(static_cast<std::size_t>(voxels));
  TRY(ConvertValues(path, *image, volume.values));
  for (std::size_t i = 0; i < volume.values.size(); ++i) {
    if (!std::isfinite(volume.values[i]))
      return Fail(Refuse(path, format("value {} is not finite", i)));
  }
  return volume;
}

}  // namespace fx
