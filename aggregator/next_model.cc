#include "aggregator/next_model.h"

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <utility>

#include "core/base/format.h"
#include "core/tensor/state_names.h"

namespace fx::aggregator {
namespace {

constexpr std::size_t kMostTile = 64 << 10;
constexpr std::size_t kLeastTile = 8 << 10;
constexpr std::size_t kRoom = 1 << 20;  // for the tiles of all files

// The base of tensors that are not changes to what there was before.
constexpr std::array<float, kMostTile / sizeof(float)> kNothing{};

// Aligned as tensors are in their files, and not yet written to.
struct AlignedDelete {
  void operator()(std::byte* bytes) const { ::operator delete[](bytes, std::align_val_t{64}); }
};
using Room = std::unique_ptr<std::byte[], AlignedDelete>;
Room MakeRoom(std::size_t size) {
  return Room(static_cast<std::byte*>(::operator new[](size, std::align_val_t{64})));
}

}  // namespace

Status Source::ReadAt(std::uint64_t offset, std::span<std::byte> to) const {
  if (const auto* mapped = std::get_if<ModelFile>(&file)) {
    std::ranges::copy(mapped->file_bytes().subspan(offset, to.size()), to.begin());
    return Ok();
  }
  return In(std::get<InputFile>(file).ReadAt(offset, to), format("cannot use {}", what));
}

NextModel::NextModel(Layout layout, Source base, std::vector<Source> updates,
                     const AggregationFunction& function)
    : layout_(std::move(layout)),
      map_(MapModelFile(layout_)),
      base_(std::move(base)),
      updates_(std::move(updates)),
      function_(function),
      tile_bytes_(std::clamp(kRoom / (updates_.size() + 1) / kLeastTile * kLeastTile, kLeastTile,
                             kMostTile)) {}

Status NextModel::Make(std::uint64_t begin, std::span<std::byte> out) const {
  const Room own = MakeRoom(room());
  while (!out.empty()) {
    const std::size_t size = std::min(tile_bytes_, out.size());
    TRY(MakeTile(begin, out.first(size), {own.get(), room()}));
    begin += size;
    out = out.subspan(size);
  }
  return Ok();
}

Status NextModel::MakeTile(std::uint64_t begin, std::span<std::byte> out,
                           std::span<std::byte> room) const {
  Tile tile{.begin = begin, .end = begin + out.size(), .parts = {}};
  const auto read = [&](const Source& source) -> Status {
    const auto part = room.subspan(tile.parts.size() * tile_bytes_, out.size());
    TRY(source.ReadAt(begin, part));
    tile.parts.emplace_back(part);
    return Ok();
  };
  TRY(read(base_));
  for (const Source& update : updates_) TRY(read(update));

  const auto after = std::ranges::upper_bound(map_.offsets, begin);
  auto tensor = static_cast<std::size_t>(after - map_.offsets.begin());
  if (tensor > 0) --tensor;
  std::uint64_t done = begin;
  for (; tensor < map_.offsets.size() && map_.offsets[tensor] < tile.end; ++tensor) {
    CopyBase(tile, done, map_.offsets[tensor], out);
    Fold(tile, tensor, out);
    done = std::max(done, map_.offsets[tensor] + layout_[tensor].byte_size());
  }
  CopyBase(tile, done, tile.end, out);
  return Ok();
}

void NextModel::CopyBase(const Tile& tile, std::uint64_t from, std::uint64_t to,
                         std::span<std::byte> out) {
  if (from >= to) return;
  std::ranges::copy(tile.parts.front().subspan(from - tile.begin, to - from),
                    out.subspan(from - tile.begin).begin());
}

void NextModel::Fold(const Tile& tile, std::size_t tensor, std::span<std::byte> out) const {
  const std::uint64_t offset = map_.offsets[tensor];
  const std::uint64_t size = layout_[tensor].byte_size();
  const std::uint64_t from = std::max(tile.begin, offset);
  const std::uint64_t to = std::min(tile.end, offset + size);
  if (from >= to) return;
  const std::size_t count = (to - from) / sizeof(float);
  const auto floats = [&](std::span<const std::byte> part) {
    const std::byte* const first = part.data() + (from - tile.begin);
    return std::span(reinterpret_cast<const float*>(first), count);
  };
  std::vector<std::span<const float>> updates;
  updates.reserve(updates_.size());
  for (std::size_t i = 1; i < tile.parts.size(); ++i) updates.push_back(floats(tile.parts[i]));
  const bool kept = layout_[tensor].name.starts_with(kOptimizerStatePrefix);
  const Block block{.base = kept ? std::span(kNothing).first(count) : floats(tile.parts.front()),
                    .updates = updates,
                    .whole_scalar = size == sizeof(float)};
  function_.Fold(block, {reinterpret_cast<float*>(out.data() + (from - tile.begin)), count});
}

}  // namespace fx::aggregator
