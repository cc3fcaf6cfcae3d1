// The model file: one format for committed models, staged updates, and what travels between the two
// ends. docs/internals/model-format.md has the bytes; in short
//
//   "FXMODEL1"  u32 header size  u32 zero  header  zero padding to 64  tensor  padding  tensor ...
//
// Little-endian. The header lists name, dtype and shape of each tensor; every tensor starts at a
// multiple of 64, at an offset that follows from the header alone. So the first bytes of a file are
// enough to judge it, any range of it can be sent or mapped on its own, and equal models are equal
// files, byte for byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/tensor/tensor.h"

namespace fx {

// Bounds on what a header may claim; beyond them a file is refused before anything is allocated.
inline constexpr std::uint32_t kMaxModelHeader = 8U << 20;
inline constexpr std::size_t kMaxTensors = 100'000;
inline constexpr std::uint64_t kMaxModelBytes = 1ULL << 42;

// Where everything lies, computed from a layout.
struct ModelFileMap {
  std::uint64_t data_begin = 0;        // size of magic, header and padding
  std::vector<std::uint64_t> offsets;  // of each tensor, from the start of the file
  std::uint64_t size = 0;              // of the whole file
};

// The bytes before the first tensor, padding included; deterministic.
std::string EncodeModelHeader(const Layout& layout);
// Reads such bytes (more may follow). Refuses, naming the offence: other magic, other version, a
// truncated or oversized header, duplicate or empty names, negative or overflowing extents.
Result<Layout> DecodeModelHeader(std::span<const std::byte> bytes);
ModelFileMap MapModelFile(const Layout& layout);

// A model file, mapped and checked: the header parses and the size is what it says. Tensors are
// views into the mapping, valid while this lives. Thread-safe to read.
class ModelFile {
 public:
  static Result<ModelFile> Open(const Path& path);

  const Layout& layout() const { return layout_; }
  std::span<const std::byte> file_bytes() const { return file_.bytes(); }
  std::span<const std::byte> tensor_bytes(std::size_t index) const;
  // Checked: the tensor is float32.
  std::span<const float> floats(std::size_t index) const;
  // A copy of all tensors in memory of their own.
  Model Load() const;
  // All tensors where they lie, borrowed: read-only, valid while this lives.
  Model View() const;

 private:
  ModelFile(MappedFile file, Layout layout);
  MappedFile file_;
  Layout layout_;
  ModelFileMap map_;
};

// Writes the model to `path` (created or overwritten), fsynced if it is to survive a power cut; no
// rename. `digest` is the one asked for: the XXH3-128 of the file, or its SHA-256.
enum class DigestKind { kFast, kSha256 };
struct WrittenModel {
  std::uint64_t size = 0;
  std::string digest;  // hex
};
Result<WrittenModel> WriteModelFile(const Path& path, const Model& model, DigestKind digest,
                                    Survive survive = Survive::kPowerCut);

// The SHA-256 of the file, which is its ModelId.
Result<std::string> ModelFileSha256(const Path& path);

// The first element that is NaN or infinite, if any.
std::ptrdiff_t FindNonFinite(std::span<const float> values);  // -1 if all are finite

}  // namespace fx
