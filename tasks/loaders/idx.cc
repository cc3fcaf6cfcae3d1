#include "tasks/loaders/idx.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/file.h"
#include "core/base/format.h"
#include "tasks/loaders/idx_file.h"

namespace fx {
namespace {

constexpr std::string_view kDebianFolder = "/usr/share/datasets/fashion-mnist";

// Which samples of a file are wanted: those with index % count == offset.
struct Shard {
  std::size_t offset = 0, count = 1;
};

// What a pixel value becomes.
using Scale = std::array<float, 256>;

Scale MakeScale(const DataLoaderSettings& settings) {
  Scale scale{};
  for (std::size_t pixel = 0; pixel < scale.size(); ++pixel) {
    const double value = static_cast<double>(pixel) / 255;
    scale[pixel] = static_cast<float>((value - settings.mean) / settings.std);
  }
  return scale;
}

class ImageSet final : public DataSet {
 public:
  ImageSet(IdxArray images, std::vector<std::uint8_t> labels, const Scale& scale)
      : shape_{1, images.extents[1], images.extents[2]},
        pixels_(std::move(images.values)),
        labels_(std::move(labels)),
        scale_(scale) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(labels_.size()); }
  const Shape& sample_shape() const override { return shape_; }
  const Shape& target_shape() const override { return target_shape_; }

  void Gather(std::span<const std::uint32_t> indices, std::span<float> samples,
              std::span<float> targets) const override {
    const std::size_t size = pixels_.size() / labels_.size();
    FX_CHECK(samples.size() == indices.size() * size && targets.size() == indices.size());
    auto out = samples.begin();
    for (std::size_t i = 0; i < indices.size(); ++i) {
      FX_CHECK(indices[i] < labels_.size());
      const auto image = std::span(pixels_).subspan(indices[i] * size, size);
      out = std::ranges::transform(image, out, [&](std::uint8_t p) { return scale_[p]; }).out;
      targets[i] = labels_[indices[i]];
    }
  }

 private:
  Shape shape_, target_shape_;
  std::vector<std::uint8_t> pixels_;
  std::vector<std::uint8_t> labels_;
  Scale scale_;
};

class IdxDataLoader final : public DataLoader {
 public:
  IdxDataLoader(ImageSet train, ImageSet validation)
      : train_(std::move(train)), validation_(std::move(validation)) {}
  const DataSet& train() const override { return train_; }
  const DataSet& validation() const override { return validation_; }

 private:
  ImageSet train_, validation_;
};

Error Missing(const Path& folder, const std::string& what) {
  Error error(ErrorCode::kNotFound, what);
  const std::string text = folder.lexically_normal().string();
  if (text.starts_with(kDebianFolder)) {
    return std::move(error).Hint("apt install dataset-fashion-mnist");
  }
  return std::move(error).Hint(
      "an IDX data set is a folder of four files, each plain or with .gz: train-images-idx3-ubyte, "
      "train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte");
}

// `stem` is e.g. "train-images", `suffix` "idx3-ubyte".
Result<Path> FindFile(const Path& folder, const std::string& stem, const std::string& suffix) {
  for (const char* separator : {"-", "."}) {
    for (const char* end : {"", ".gz"}) {
      Path path = folder / format("{}{}{}{}", stem, separator, suffix, end);
      if (Exists(path)) return path;
    }
  }
  return Fail(Missing(folder, format("{}: neither {}-{} nor {}-{}.gz is there", folder.string(),
                                     stem, suffix, stem, suffix)));
}

// Keeps the samples of the shard, in place.
void Keep(std::vector<std::uint8_t>& values, std::size_t sample, Shard shard) {
  if (shard.count == 1) return;
  std::size_t kept = 0;
  const std::size_t samples = values.size() / sample;
  for (std::size_t i = shard.offset; i < samples; i += shard.count, ++kept) {
    std::memmove(values.data() + kept * sample, values.data() + i * sample, sample);
  }
  values.resize(kept * sample);
  values.shrink_to_fit();
}

Result<ImageSet> LoadPart(const Path& folder, const std::string& part, const Scale& scale,
                          Shard shard) {
  const Path images_path = TRY(FindFile(folder, part + "-images", "idx3-ubyte"));
  const Path labels_path = TRY(FindFile(folder, part + "-labels", "idx1-ubyte"));
  IdxArray images = TRY(ReadIdx(images_path, 3));
  IdxArray labels = TRY(ReadIdx(labels_path, 1));
  const std::size_t count = labels.extents[0];
  if (images.extents[0] != count) {
    return Fail(ErrorCode::kInvalidArgument,
                format("{} has {} images but {} has {} labels; each image needs one",
                       images_path.string(), images.extents[0], labels_path.string(), count));
  }
  if (shard.offset >= count) {
    return Fail(ErrorCode::kInvalidArgument,
                format("{}: shard {} of {} is empty: there are only {} samples",
                       images_path.string(), shard.offset + 1, shard.count, count));
  }
  Keep(images.values, images.values.size() / count, shard);
  Keep(labels.values, 1, shard);
  return ImageSet(std::move(images), std::move(labels.values), scale);
}

bool IsWholeNumber(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

Result<Shard> ParseShard(const DataLoaderSettings& settings, const std::string& data_path) {
  std::int64_t k = 0;
  const char* end = data_path.data() + data_path.size();
  const bool fits = std::from_chars(data_path.data(), end, k).ec == std::errc();
  if (!fits || k < 1 || k > settings.collaborator_count) {
    return Fail(Error(ErrorCode::kOutOfRange,
                      format("data path {} is not a shard of {}: the plan cuts it into shards 1 to "
                             "{} (data_loader.settings.collaborator_count)",
                             data_path, settings.dataset, settings.collaborator_count))
                    .Hint("give a shard number in that range, or the path of a folder"));
  }
  return Shard{.offset = static_cast<std::size_t>(k - 1),
               .count = static_cast<std::size_t>(settings.collaborator_count)};
}

}  // namespace

Result<std::unique_ptr<DataLoader>> MakeIdxDataLoader(const DataLoaderSettings& settings,
                                                      const std::string& data_path) {
  const bool sharded = IsWholeNumber(data_path);
  const Path folder = sharded ? settings.dataset : data_path;
  const Shard shard = sharded ? TRY(ParseShard(settings, data_path)) : Shard{};
  if (!Exists(folder)) {
    return Fail(Missing(folder, format("there is no data folder {}", folder.string())));
  }
  const Scale scale = MakeScale(settings);
  ImageSet train = TRY(LoadPart(folder, "train", scale, shard));
  ImageSet validation = TRY(LoadPart(folder, "t10k", scale, shard));
  if (train.sample_shape() != validation.sample_shape()) {
    return Fail(ErrorCode::kInvalidArgument,
                format("{}: training images are {}, validation images {}; they must be alike",
                       folder.string(), ToString(train.sample_shape()),
                       ToString(validation.sample_shape())));
  }
  return std::make_unique<IdxDataLoader>(std::move(train), std::move(validation));
}

}  // namespace fx
