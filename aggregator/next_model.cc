#include "aggregator/next_model.h"

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <utility>

#include "aggregator/functions/squares.h"
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
                     const AggregationFunction& function, std::vector<Memory> memories)
    : layout_(std::move(layout)),
      map_(MapModelFile(layout_)),
      base_(std::move(base)),
      updates_(std::move(updates)),
      function_(function),
      memories_(std::move(memories)),
      first_memories_(function.Memories()),
      tile_bytes_(std::clamp(kRoom / (updates_.size() + 1) / kLeastTile * kLeastTile, kLeastTile,
                             kMostTile)) {
  FX_CHECK(memories_.size() == first_memories_.size());
}

Status NextModel::AddSquares(std::uint64_t begin, std::uint64_t end, std::span<double> sums) const {
  const Room own = MakeRoom(room());
  while (begin < end) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(tile_bytes_, end - begin));
    const Tile tile = TRY(ReadTile(begin, size, {own.get(), room()}));
    for (const Piece& piece : PiecesOf(tile)) {
      if (KindOf(piece.tensor) == Kind::kOptimizerState) continue;
      WithBlock(tile, piece, [&](const Block& block) {
        aggregator::AddSquares(function_.needs(), block, sums);
      });
    }
    begin += size;
  }
  return Ok();
}

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
  Tile tile = TRY(ReadTile(begin, out.size(), room));
  TRY(ReadMemories(tile, room.subspan(tile.parts.size() * tile_bytes_)));
  std::uint64_t done = begin;
  for (const Piece& piece : PiecesOf(tile)) {
    CopyBase(tile, done, piece.from, out);
    WithBlock(tile, piece, [&](const Block& block) {
      std::byte* const first = out.data() + (piece.from - begin);
      function_.Fold(block, {reinterpret_cast<float*>(first), piece.count()});
    });
    done = piece.to;
  }
  CopyBase(tile, done, tile.end, out);
  return WriteMemories(tile);
}

Result<NextModel::Tile> NextModel::ReadTile(std::uint64_t begin, std::size_t size,
                                            std::span<std::byte> room) const {
  Tile tile{.begin = begin, .end = begin + size, .parts = {}, .memories = {}};
  const auto read = [&](const Source& source) -> Status {
    const auto part = room.subspan(tile.parts.size() * tile_bytes_, size);
    TRY(source.ReadAt(begin, part));
    tile.parts.emplace_back(part);
    return Ok();
  };
  TRY(read(base_));
  for (const Source& update : updates_) TRY(read(update));
  return tile;
}

// The first round's are laid out like the base, header and padding included.
Status NextModel::ReadMemories(Tile& tile, std::span<std::byte> room) const {
  for (std::size_t i = 0; i < memories_.size(); ++i) {
    const auto part = room.subspan(i * tile_bytes_, tile.parts.front().size());
    tile.memories.push_back(part);
    if (memories_[i].before) {
      TRY(In(memories_[i].before->ReadAt(tile.begin, part), "cannot use what was kept"));
      continue;
    }
    std::ranges::copy(tile.parts.front(), part.begin());
    for (const Piece& piece : PiecesOf(tile)) {
      std::byte* const first = part.data() + (piece.from - tile.begin);
      std::fill_n(reinterpret_cast<float*>(first), piece.count(), first_memories_[i]);
    }
  }
  return Ok();
}

Status NextModel::WriteMemories(const Tile& tile) const {
  for (std::size_t i = 0; i < memories_.size(); ++i) {
    TRY(memories_[i].after->WriteAt(tile.begin, tile.memories[i]));
  }
  return Ok();
}

void NextModel::CopyBase(const Tile& tile, std::uint64_t from, std::uint64_t to,
                         std::span<std::byte> out) {
  if (from >= to) return;
  std::ranges::copy(tile.parts.front().subspan(from - tile.begin, to - from),
                    out.subspan(from - tile.begin).begin());
}

std::vector<NextModel::Piece> NextModel::PiecesOf(const Tile& tile) const {
  const auto after = std::ranges::upper_bound(map_.offsets, tile.begin);
  auto tensor = static_cast<std::size_t>(after - map_.offsets.begin());
  if (tensor > 0) --tensor;
  std::vector<Piece> pieces;
  for (; tensor < map_.offsets.size() && map_.offsets[tensor] < tile.end; ++tensor) {
    const std::uint64_t offset = map_.offsets[tensor];
    const std::uint64_t from = std::max(tile.begin, offset);
    const std::uint64_t to = std::min(tile.end, offset + layout_[tensor].byte_size());
    if (from < to) pieces.push_back({.tensor = tensor, .from = from, .to = to});
  }
  return pieces;
}

Kind NextModel::KindOf(std::size_t tensor) const {
  const std::string& name = layout_[tensor].name;
  if (name.starts_with(kOptimizerStatePrefix)) return Kind::kOptimizerState;
  if (IsSum(name)) return Kind::kSum;
  return IsRunningStatistic(name) ? Kind::kStatistics : Kind::kTrained;
}

void NextModel::WithBlock(const Tile& tile, const Piece& piece,
                          const std::function<void(const Block&)>& use) const {
  const std::size_t count = piece.count();
  const auto floats = [&](std::span<const std::byte> part) {
    const std::byte* const first = part.data() + (piece.from - tile.begin);
    return std::span(reinterpret_cast<const float*>(first), count);
  };
  std::vector<std::span<const float>> updates;
  updates.reserve(updates_.size());
  for (std::size_t i = 1; i < tile.parts.size(); ++i) updates.push_back(floats(tile.parts[i]));
  std::vector<std::span<float>> memories;
  for (const std::span<std::byte> memory : tile.memories) {
    std::byte* const first = memory.data() + (piece.from - tile.begin);
    memories.emplace_back(reinterpret_cast<float*>(first), count);
  }
  const Kind kind = KindOf(piece.tensor);
  const bool kept = kind == Kind::kOptimizerState;
  use({.base = kept ? std::span(kNothing).first(count) : floats(tile.parts.front()),
       .updates = updates,
       .whole_scalar = layout_[piece.tensor].byte_size() == sizeof(float),
       .kind = kind,
       .memories = memories});
}

}  // namespace fx::aggregator
