#include "tasks/loaders/image_folder.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/base/format.h"
#include "tasks/loaders/image_file.h"
#include "tasks/loaders/parts.h"

namespace fx {
namespace {

constexpr const char* kHint =
    "pictures lie in a folder for each class, or in images and masks; or in such folders within "
    "train and validation";

bool IsFolder(const Path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

Result<std::vector<Path>> PicturesIn(const Path& folder) {
  std::vector<Path> files = TRY(ListFolder(folder));
  std::erase_if(files, [](const Path& file) { return !IsPictureName(file); });
  return files;
}

// Appends pictures to samples, which all have the shape of the first.
class Collector {
 public:
  explicit Collector(const DataLoaderSettings& settings) : settings_(settings) {}

  Status AddClassified(const Path& path, std::size_t label) {
    TRY(AddSample(path));
    out_.targets.push_back(static_cast<float>(label));
    out_.labels.push_back(static_cast<std::int32_t>(label));
    return Ok();
  }

  Status AddMasked(const Path& path, const Path& mask_path) {
    const std::array<std::int64_t, 2> size = TRY(AddSample(path));
    Picture mask = TRY(ReadPicture(mask_path, 1));
    if (std::array{mask.height, mask.width} != size) {
      return Fail(ErrorCode::kInvalidArgument,
                  format("{} is {} x {} pixels, but its picture {} x {}", mask_path.string(),
                         mask.height, mask.width, size[0], size[1]));
    }
    if (resized()) mask = Resize(mask, settings_.image.size, Scaling::kNearest);
    out_.target_shape = {1, mask.height, mask.width};
    for (const std::uint8_t pixel : mask.pixels) out_.targets.push_back(pixel != 0 ? 1.0F : 0.0F);
    return Ok();
  }

  Samples Take() { return std::move(out_); }

 private:
  bool resized() const { return settings_.image.size[0] > 0; }

  // Returns the picture's height and width in the file.
  Result<std::array<std::int64_t, 2>> AddSample(const Path& path) {
    Picture picture = TRY(ReadPicture(path, settings_.image.channels));
    const std::array<std::int64_t, 2> found = {picture.height, picture.width};
    if (resized()) picture = Resize(picture, settings_.image.size, Scaling::kBilinear);
    const Shape shape = {picture.channels, picture.height, picture.width};
    if (out_.size == 0) out_.shape = shape;
    if (shape != out_.shape) {
      return Fail(Error(ErrorCode::kInvalidArgument,
                        format("{} is {} x {} pixels, but those before it {} x {}", path.string(),
                               picture.height, picture.width, out_.shape[1], out_.shape[2]))
                      .Hint("data_loader.settings.resize: [height, width] makes them alike"));
    }
    out_.bytes.insert(out_.bytes.end(), picture.pixels.begin(), picture.pixels.end());
    ++out_.size;
    return found;
  }

  const DataLoaderSettings& settings_;
  Samples out_;
};

// Every folder is a class of the plan's: a misspelt one must not go unnoticed.
Status CheckFolders(const Path& folder, const std::vector<std::string>& classes) {
  for (const Path& inside : TRY(ListFolder(folder))) {
    const std::string name = inside.filename().string();
    if (!IsFolder(inside) || name.starts_with('.')) continue;
    if (std::ranges::find(classes, name) != classes.end()) continue;
    return Fail(ErrorCode::kInvalidArgument,
                format("{} is not among the plan's classes (data_loader.settings.classes)",
                       inside.string()));
  }
  return Ok();
}

Result<Samples> LoadClasses(const DataLoaderSettings& settings, const Path& folder) {
  TRY(CheckFolders(folder, settings.classes));
  Collector collector(settings);
  for (std::size_t label = 0; label < settings.classes.size(); ++label) {
    const Path inside = folder / settings.classes[label];
    if (!IsFolder(inside)) continue;  // a site need not have seen every class
    for (const Path& file : TRY(PicturesIn(inside))) TRY(collector.AddClassified(file, label));
  }
  return collector.Take();
}

Result<Samples> LoadMasked(const DataLoaderSettings& settings, const Path& folder) {
  Collector collector(settings);
  const std::vector<Path> masks = TRY(PicturesIn(folder / "masks"));
  for (const Path& file : TRY(PicturesIn(folder / "images"))) {
    const auto mask = std::ranges::find(masks, file.stem(), [](const Path& m) { return m.stem(); });
    if (mask == masks.end()) {
      return Fail(ErrorCode::kNotFound,
                  format("{} has no mask: there is no {} in {}", file.string(),
                         file.stem().string(), (folder / "masks").string()));
    }
    TRY(collector.AddMasked(file, *mask));
  }
  return collector.Take();
}

Result<Samples> LoadPart(const DataLoaderSettings& settings, const Path& folder) {
  Samples samples = settings.task == DataTask::kSegmentation ? TRY(LoadMasked(settings, folder))
                                                             : TRY(LoadClasses(settings, folder));
  if (samples.size > 0) return samples;
  return Fail(
      Error(ErrorCode::kNotFound, folder.string() + ": there are no pictures in it").Hint(kHint));
}

}  // namespace

Result<std::unique_ptr<DataLoader>> MakeImageFolderDataLoader(const DataLoaderSettings& settings,
                                                              const std::string& data_path) {
  const DataPlace place = TRY(FindData(settings, data_path, kHint));
  Parts all;
  if (IsFolder(place.path / "train")) {
    all.train = TRY(LoadPart(settings, place.path / "train"));
    all.validation = TRY(LoadPart(settings, place.path / "validation"));
  } else {
    const Samples samples = TRY(LoadPart(settings, place.path));
    all = TRY(HoldOut(settings, place.path, samples));
  }
  Parts mine = TRY(In(TakeShard(settings, place.shard, std::move(all)), place.path.string()));
  return In(MakeLoader(settings, std::move(mine)), place.path.string());
}

}  // namespace fx
