#include "tasks/loaders/parts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/base/format.h"
#include "tasks/loaders/augment.h"
#include "tasks/loaders/split.h"

namespace fx {
namespace {

// What a byte becomes.
using Scale = std::array<float, 256>;

Scale MakeScale(const Normalisation& normalisation) {
  Scale scale{};
  for (std::size_t byte = 0; byte < scale.size(); ++byte) {
    const double value = static_cast<double>(byte) / 255;
    scale[byte] = static_cast<float>((value - normalisation.mean) / normalisation.std);
  }
  return scale;
}

// One for all channels, or one each.
std::vector<Scale> MakeScales(const DataLoaderSettings& settings) {
  if (settings.channels.empty()) return {MakeScale({.mean = settings.mean, .std = settings.std})};
  std::vector<Scale> scales;
  for (const Normalisation& channel : settings.channels) scales.push_back(MakeScale(channel));
  return scales;
}

class MemorySet final : public DataSet {
 public:
  MemorySet(Samples samples, std::vector<Scale> scales, const AugmentSpec& augment)
      : all_(std::move(samples)),
        scales_(std::move(scales)),
        augment_(augment),
        sample_size_(static_cast<std::size_t>(NumElements(all_.shape))),
        target_size_(static_cast<std::size_t>(NumElements(all_.target_shape))) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(all_.size); }
  const Shape& sample_shape() const override { return all_.shape; }
  const Shape& target_shape() const override { return all_.target_shape; }

  void Gather(std::span<const std::uint32_t> indices, std::span<float> samples,
              std::span<float> targets) const override {
    FX_CHECK(samples.size() == indices.size() * sample_size_);
    FX_CHECK(targets.size() == indices.size() * target_size_);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      FX_CHECK(indices[i] < all_.size);
      CopySample(indices[i], samples.subspan(i * sample_size_, sample_size_));
      std::ranges::copy(std::span(all_.targets).subspan(indices[i] * target_size_, target_size_),
                        targets.begin() + static_cast<std::ptrdiff_t>(i * target_size_));
    }
  }

  void GatherVaried(std::uint64_t draw, std::span<const std::uint32_t> indices,
                    std::span<float> samples, std::span<float> targets) const override {
    Gather(indices, samples, targets);
    if (!augment_.any()) return;
    std::vector<float> before(std::max(sample_size_, target_size_));
    const auto vary = [&](const Variation& variation, const Shape& shape, Between between,
                          std::span<float> image) {
      std::ranges::copy(image, before.begin());
      Vary(variation, shape, between, std::span(before).first(image.size()), image);
    };
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const Variation variation = DrawVariation(augment_, draw, indices[i]);
      vary(variation, all_.shape, Between::kInterpolate,
           samples.subspan(i * sample_size_, sample_size_));
      if (all_.target_shape.size() == 3) {
        vary(variation, all_.target_shape, Between::kNearest,
             targets.subspan(i * target_size_, target_size_));
      }
    }
  }

 private:
  void CopySample(std::size_t index, std::span<float> out) const {
    if (all_.bytes.empty()) {
      std::ranges::copy(std::span(all_.values).subspan(index * sample_size_, sample_size_),
                        out.begin());
      return;
    }
    const auto bytes = std::span(all_.bytes).subspan(index * sample_size_, sample_size_);
    const std::size_t plane = sample_size_ / scales_.size();
    for (std::size_t c = 0; c < scales_.size(); ++c) {
      const Scale& scale = scales_[c];
      std::ranges::transform(bytes.subspan(c * plane, plane), out.subspan(c * plane).begin(),
                             [&](std::uint8_t byte) { return scale[byte]; });
    }
  }

  Samples all_;
  std::vector<Scale> scales_;
  AugmentSpec augment_;
  std::size_t sample_size_, target_size_;
};

class MemoryLoader final : public DataLoader {
 public:
  MemoryLoader(MemorySet train, MemorySet validation)
      : train_(std::move(train)), validation_(std::move(validation)) {}
  const DataSet& train() const override { return train_; }
  const DataSet& validation() const override { return validation_; }

 private:
  MemorySet train_, validation_;
};

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
                    .Hint("give a shard number in that range, or a path"));
  }
  return Shard{.site = static_cast<std::size_t>(k - 1),
               .sites = static_cast<std::size_t>(settings.collaborator_count)};
}

template <typename T>
std::vector<T> TakeRows(const std::vector<T>& all, std::size_t row,
                        const std::vector<std::uint32_t>& indices) {
  std::vector<T> taken;
  if (all.empty()) return taken;
  taken.reserve(indices.size() * row);
  for (const std::uint32_t i : indices) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(i * row);
    taken.insert(taken.end(), begin, begin + static_cast<std::ptrdiff_t>(row));
  }
  return taken;
}

Status CheckAlike(const Samples& train, const Samples& validation) {
  if (train.shape == validation.shape && train.target_shape == validation.target_shape) return Ok();
  const bool samples = train.shape != validation.shape;
  return Fail(
      ErrorCode::kInvalidArgument,
      format("training {} are {}, validation {} {}; they must be alike",
             samples ? "samples" : "targets", ToString(samples ? train.shape : train.target_shape),
             samples ? "samples" : "targets",
             ToString(samples ? validation.shape : validation.target_shape)));
}

Status CheckChannels(const DataLoaderSettings& settings, const Samples& samples) {
  const std::size_t channels = settings.channels.size();
  if (samples.bytes.empty() || channels == 0) return Ok();
  const Shape& shape = samples.shape;
  if (shape.size() == 3 && static_cast<std::size_t>(shape[0]) == channels) return Ok();
  return Fail(ErrorCode::kInvalidArgument,
              format("data_loader.settings.mean has {} numbers, one a channel, but samples are {}",
                     channels, ToString(shape)));
}

}  // namespace

Result<DataPlace> FindData(const DataLoaderSettings& settings, const std::string& data_path,
                           const std::string& hint) {
  DataPlace place{.path = data_path, .shard = std::nullopt};
  if (IsWholeNumber(data_path)) {
    place.shard = TRY(ParseShard(settings, data_path));
    place.path = settings.dataset;
    if (settings.dataset.empty()) {
      return Fail(Error(ErrorCode::kInvalidArgument,
                        format("the data path is shard {}, but the plan names no data set to cut",
                               data_path))
                      .Hint("set data_loader.settings.dataset, or give a path in data.yaml"));
    }
  }
  if (Exists(place.path)) return place;
  return Fail(Error(ErrorCode::kNotFound, format("there are no data at {}", place.path.string()))
                  .Hint(hint));
}

Samples Take(const Samples& all, const std::vector<std::uint32_t>& indices) {
  const auto row = static_cast<std::size_t>(NumElements(all.shape));
  const auto target = static_cast<std::size_t>(NumElements(all.target_shape));
  return {.shape = all.shape,
          .target_shape = all.target_shape,
          .size = indices.size(),
          .bytes = TakeRows(all.bytes, row, indices),
          .values = TakeRows(all.values, row, indices),
          .targets = TakeRows(all.targets, target, indices),
          .labels = TakeRows(all.labels, 1, indices)};
}

Result<Parts> HoldOut(const DataLoaderSettings& settings, const Path& path, const Samples& all) {
  if (all.size < 2) {
    return Fail(ErrorCode::kInvalidArgument,
                format("{} has {} samples; at least 2 are needed, one of them for validation",
                       path.string(), all.size));
  }
  const SiteSamples parts = HoldOut(all.size, settings.validation_share, settings.split.seed);
  return Parts{.train = Take(all, parts.train), .validation = Take(all, parts.validation)};
}

Result<Parts> TakeShard(const DataLoaderSettings& settings, const std::optional<Shard>& shard,
                        Parts parts) {
  if (!shard || shard->sites == 1) return parts;
  const auto& [train, validation] = parts;
  const SiteSamples mine = TRY(SplitSamples(
      settings.split, {.size = train.size, .labels = train.labels},
      {.size = validation.size, .labels = validation.labels}, shard->site, shard->sites));
  return Parts{.train = Take(train, mine.train), .validation = Take(validation, mine.validation)};
}

Result<std::unique_ptr<DataLoader>> MakeLoader(const DataLoaderSettings& settings, Parts parts) {
  TRY(CheckAlike(parts.train, parts.validation));
  TRY(CheckChannels(settings, parts.train));
  if (settings.augment.any() && parts.train.shape.size() != 3) {
    return Fail(ErrorCode::kInvalidArgument,
                format("data_loader.settings.augment is for images, but samples are {}",
                       ToString(parts.train.shape)));
  }
  const std::vector<Scale> scales = MakeScales(settings);
  return std::make_unique<MemoryLoader>(MemorySet(std::move(parts.train), scales, settings.augment),
                                        MemorySet(std::move(parts.validation), scales, {}));
}

}  // namespace fx
