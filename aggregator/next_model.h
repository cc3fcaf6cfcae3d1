// The next model, made from the current one and the updates, any part of it at any time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "aggregator/functions/aggregation_function.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/tensor/model_file.h"

namespace fx::aggregator {

// A model file that is read, and what it is called in errors. Mapped where there are so many that
// open files would run out.
struct Source {
  std::variant<InputFile, ModelFile> file;
  std::string what;

  Status ReadAt(std::uint64_t offset, std::span<std::byte> to) const;
};

// A file of what the function keeps, laid out like the model: the one of the round before, if there
// was one, and the next, which outlives this.
struct Memory {
  std::optional<InputFile> before;
  OutputFile* after = nullptr;
};

// Reads a few kilobytes of every file, folds them while the cache holds them, and goes on: what it
// keeps in memory does not depend on the model's size, nor much on the number of updates. (Mapped
// files would do without the copy, but giving their pages back interrupts every core each time.)
class NextModel {
 public:
  // All files are laid out like `layout`, and all its tensors are float32. `function` outlives
  // this. What it is told to start from is the base's, but 0 for an optimizer's state
  // (core/tensor/state_names.h). One of `memories` for each of the function's.
  NextModel(Layout layout, Source base, std::vector<Source> updates,
            const AggregationFunction& function, std::vector<Memory> memories = {});

  std::uint64_t size() const { return map_.size; }
  // What a call of Make needs for the time being.
  std::size_t room() const { return tile_bytes_ * (updates_.size() + 1 + memories_.size()); }

  // Adds to `sums` what the function needs (functions/squares.h) of the bytes [begin, end) of all
  // files but an optimizer's state; `begin` is a multiple of 64. Thread-safe.
  Status AddSquares(std::uint64_t begin, std::uint64_t end, std::span<double> sums) const;

  // `out` becomes the model's bytes from `begin`, a multiple of 64, on; so do those of the
  // memories' next files. Thread-safe.
  Status Make(std::uint64_t begin, std::span<std::byte> out) const;

 private:
  // The bytes [begin, end) of the base and all updates, and of the memories.
  struct Tile {
    std::uint64_t begin, end;
    std::vector<std::span<const std::byte>> parts;  // the base's first
    std::vector<std::span<std::byte>> memories;
  };
  // The elements of a tensor that lie in a tile: bytes [from, to) of the file.
  struct Piece {
    std::size_t tensor;
    std::uint64_t from, to;
    std::size_t count() const { return (to - from) / sizeof(float); }
  };
  Result<Tile> ReadTile(std::uint64_t begin, std::size_t size, std::span<std::byte> room) const;
  Status ReadMemories(Tile& tile, std::span<std::byte> room) const;
  Status WriteMemories(const Tile& tile) const;
  std::vector<Piece> PiecesOf(const Tile& tile) const;
  Kind KindOf(std::size_t tensor) const;
  // Calls `use` with the block of a piece.
  void WithBlock(const Tile& tile, const Piece& piece,
                 const std::function<void(const Block&)>& use) const;
  Status MakeTile(std::uint64_t begin, std::span<std::byte> out, std::span<std::byte> room) const;
  // What is not a tensor, header and padding, is as in the base: the bytes [from, to) of the file,
  // if there are any.
  static void CopyBase(const Tile& tile, std::uint64_t from, std::uint64_t to,
                       std::span<std::byte> out);

  const Layout layout_;
  const ModelFileMap map_;
  const Source base_;
  const std::vector<Source> updates_;
  const AggregationFunction& function_;
  const std::vector<Memory> memories_;
  const std::vector<float> first_memories_;
  const std::size_t tile_bytes_;
};

}  // namespace fx::aggregator
