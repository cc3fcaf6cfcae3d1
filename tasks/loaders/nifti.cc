#include "tasks/loaders/nifti.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "core/base/file.h"
#include "core/base/format.h"
#include "tasks/loaders/nifti_file.h"
#include "tasks/loaders/parts.h"
#include "tasks/loaders/split.h"

namespace fx {
namespace {

constexpr const char* kHint =
    "volumes (.nii, .nii.gz) lie in a folder, or in train and validation within it";

Normalisation Measure(const std::vector<float>& values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const float value : values) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / count);
  return {.mean = mean, .std = deviation > 0 ? deviation : 1};
}

// How a volume's slices lie in it.
struct Slicing {
  std::size_t across, rows, columns;  // axes
  std::array<std::int64_t, 2> size;   // height and width of what is cut out
};

Slicing SlicingOf(const DataLoaderSettings& settings, const Volume& volume) {
  const auto axis = static_cast<std::size_t>(settings.volume.axis);
  Slicing slicing{.across = axis,
                  .rows = axis == 2 ? std::size_t{1} : std::size_t{2},
                  .columns = axis == 0 ? std::size_t{1} : std::size_t{0},
                  .size = settings.image.size};
  if (slicing.size[0] == 0)
    slicing.size = {volume.extents[slicing.rows], volume.extents[slicing.columns]};
  return slicing;
}

// Slice `index`, cropped or filled up with 0 around its middle.
std::vector<float> CutSlice(const Volume& volume, const Slicing& slicing, std::int64_t index) {
  const std::array<std::int64_t, 3> strides = {1, volume.extents[0],
                                               volume.extents[0] * volume.extents[1]};
  const std::int64_t height = volume.extents[slicing.rows];
  const std::int64_t width = volume.extents[slicing.columns];
  const std::int64_t top = (height - slicing.size[0]) / 2;
  const std::int64_t left = (width - slicing.size[1]) / 2;
  std::vector<float> slice;
  slice.reserve(static_cast<std::size_t>(slicing.size[0] * slicing.size[1]));
  for (std::int64_t y = top; y < top + slicing.size[0]; ++y) {
    for (std::int64_t x = left; x < left + slicing.size[1]; ++x) {
      const bool inside = y >= 0 && y < height && x >= 0 && x < width;
      const std::int64_t at = index * strides[slicing.across] + y * strides[slicing.rows] +
                              x * strides[slicing.columns];
      slice.push_back(inside ? volume.values[static_cast<std::size_t>(at)] : 0.0F);
    }
  }
  return slice;
}

bool IsEmpty(const std::vector<float>& slice) {
  return std::ranges::all_of(slice, [](float value) { return value == 0; });
}

void AppendSlices(const DataLoaderSettings& settings, const Volume& volume, const Volume& label,
                  Samples& out) {
  const Slicing slicing = SlicingOf(settings, volume);
  const Normalisation scale = settings.volume.standardise
                                  ? Measure(volume.values)
                                  : Normalisation{.mean = settings.mean, .std = settings.std};
  for (std::int64_t i = 0; i < volume.extents[slicing.across]; ++i) {
    const std::vector<float> slice = CutSlice(volume, slicing, i);
    if (settings.volume.skip_empty && IsEmpty(slice)) continue;
    for (const float value : slice)
      out.values.push_back(static_cast<float>((value - scale.mean) / scale.std));
    for (const float value : CutSlice(label, slicing, i))
      out.targets.push_back(value != 0 ? 1.0F : 0.0F);
    ++out.size;
  }
}

Status AppendVolume(const DataLoaderSettings& settings, const Path& path, Samples& out) {
  const Volume volume = TRY(ReadVolume(path));
  const Slicing slicing = SlicingOf(settings, volume);
  const Shape shape = {1, slicing.size[0], slicing.size[1]};
  if (out.shape.empty()) out.shape = out.target_shape = shape;
  if (shape != out.shape) {
    return Fail(Error(ErrorCode::kInvalidArgument,
                      format("{} has slices of {} x {}, but those before it are {} x {}",
                             path.string(), shape[1], shape[2], out.shape[1], out.shape[2]))
                    .Hint("data_loader.settings.size: [height, width] makes them alike"));
  }
  if (settings.volume.label_nonzero) {
    AppendSlices(settings, volume, volume, out);
    return Ok();
  }
  const Path label_path = path.parent_path() / "labels" / path.filename();
  if (!Exists(label_path)) {
    return Fail(ErrorCode::kNotFound,
                format("{} has no label: there is no {}", path.string(), label_path.string()));
  }
  const Volume label = TRY(ReadVolume(label_path));
  if (label.extents != volume.extents) {
    return Fail(ErrorCode::kInvalidArgument,
                format("{} has other extents than {}", label_path.string(), path.string()));
  }
  AppendSlices(settings, volume, label, out);
  return Ok();
}

Result<std::vector<Path>> VolumesIn(const Path& folder) {
  std::vector<Path> files = TRY(ListFolder(folder));
  std::erase_if(files, [](const Path& file) { return !IsVolumeName(file); });
  if (!files.empty()) return files;
  return Fail(
      Error(ErrorCode::kNotFound, folder.string() + ": there are no volumes in it").Hint(kHint));
}

Result<Samples> LoadVolumes(const DataLoaderSettings& settings, const std::vector<Path>& files) {
  Samples samples;
  for (const Path& file : files) TRY(AppendVolume(settings, file, samples));
  if (samples.size > 0) return samples;
  return Fail(
      ErrorCode::kInvalidArgument,
      format("{}: every slice is empty, and skip_empty leaves those out", files.front().string()));
}

// The last slices of a single volume for validation.
Result<Parts> CutOffEnd(const DataLoaderSettings& settings, const Path& file) {
  const Samples all = TRY(LoadVolumes(settings, {file}));
  if (all.size < 2)
    return Fail(ErrorCode::kInvalidArgument, file.string() +
                                                 ": one slice is too little to "
                                                 "train and to validate on");
  std::vector<std::uint32_t> indices(all.size);
  std::iota(indices.begin(), indices.end(), 0U);
  const auto wanted = static_cast<std::size_t>(
      std::llround(static_cast<double>(all.size) * settings.validation_share));
  const auto held = static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(wanted, 1, all.size - 1));
  const auto end = indices.end() - held;
  return Parts{.train = Take(all, {indices.begin(), end}),
               .validation = Take(all, {end, indices.end()})};
}

Result<Parts> LoadParts(const DataLoaderSettings& settings, const Path& folder) {
  const Path train = folder / "train";
  Parts parts;
  if (Exists(train)) {
    const std::vector<Path> train_files = TRY(VolumesIn(train));
    const std::vector<Path> validation_files = TRY(VolumesIn(folder / "validation"));
    parts.train = TRY(LoadVolumes(settings, train_files));
    parts.validation = TRY(LoadVolumes(settings, validation_files));
    return parts;
  }
  const std::vector<Path> files = TRY(VolumesIn(folder));
  if (files.size() == 1) return CutOffEnd(settings, files[0]);
  const SiteSamples held = HoldOut(files.size(), settings.validation_share, settings.split.seed);
  const auto pick = [&](const std::vector<std::uint32_t>& indices) {
    std::vector<Path> picked;
    for (const std::uint32_t i : indices) picked.push_back(files[i]);
    return picked;
  };
  parts.train = TRY(LoadVolumes(settings, pick(held.train)));
  parts.validation = TRY(LoadVolumes(settings, pick(held.validation)));
  return parts;
}

}  // namespace

Result<std::unique_ptr<DataLoader>> MakeNiftiDataLoader(const DataLoaderSettings& settings,
                                                        const std::string& data_path) {
  const DataPlace place = TRY(FindData(settings, data_path, kHint));
  Parts all = TRY(LoadParts(settings, place.path));
  Parts mine = TRY(In(TakeShard(settings, place.shard, std::move(all)), place.path.string()));
  return In(MakeLoader(settings, std::move(mine)), place.path.string());
}

}  // namespace fx
