#include "core/base/partial_file.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace fx {
namespace {

constexpr std::uint64_t kWriteback = 8 << 20;

struct Marker {
  char magic[8] = {'F', 'X', 'P', 'A', 'R', 'T', '1', 0};
  std::uint64_t position = 0;
};
static_assert(sizeof(Marker) == 16);

// Aligned, so that it lies in one page and a kill cannot cut it in two.
constexpr std::uint64_t MarkerOffset(std::uint64_t size) {
  return (size + sizeof(Marker) - 1) / sizeof(Marker) * sizeof(Marker);
}

Result<std::uint64_t> PositionOf(const Path& path, std::uint64_t size) {
  const std::uint64_t length = TRY(FileSize(path));
  if (length <= size) return length;
  if (length != MarkerOffset(size) + sizeof(Marker)) return 0;
  const MappedFile file = TRY(MappedFile::Open(path));
  Marker found;
  std::memcpy(&found, file.bytes().last(sizeof found).data(), sizeof found);
  const bool is_mark = std::ranges::equal(found.magic, Marker().magic);
  return is_mark && found.position <= size ? found.position : 0;
}

Status WriteMarker(OutputFile& file, std::uint64_t size, std::uint64_t position) {
  const Marker marker{.position = position};
  return file.WriteAt(MarkerOffset(size), std::as_bytes(std::span(&marker, 1)));
}

}  // namespace

Result<PartialFile> PartialFile::Open(const Path& path, std::uint64_t size, FileMode mode,
                                      Survive survive) {
  PartialFile partial(TRY(OutputFile::Open(path, OutputFile::Existing::kKeep, mode)), size,
                      survive);
  partial.position_ = TRY(PositionOf(path, size));
  return partial;
}

Status PartialFile::Reuse(const Path& spare, const Path& path, std::uint64_t size) {
  OutputFile file = TRY(OutputFile::Open(spare, OutputFile::Existing::kKeep, FileMode::kPrivate));
  TRY(file.Resize(MarkerOffset(size)));
  TRY(WriteMarker(file, size, 0));
  return RenameFile(spare, path);
}

Status PartialFile::Append(std::span<const std::span<const std::byte>> pieces) {
  std::uint64_t end = position_;
  for (const auto& piece : pieces) end += piece.size();
  FX_CHECK(end <= size_);
  TRY(file_.WriteAt(position_, pieces));
  position_ = end;
  TRY(WriteMarker(file_, size_, position_));
  if (survive_ == Survive::kPowerCut && position_ - on_its_way_ >= kWriteback) {
    file_.BeginWriteback(on_its_way_, position_ - on_its_way_);
    on_its_way_ = position_;
  }
  return Ok();
}

Status PartialFile::StartAgain() {
  TRY(WriteMarker(file_, size_, 0));
  position_ = on_its_way_ = 0;
  return Ok();
}

Status PartialFile::Finish() {
  FX_CHECK(complete());
  TRY(file_.Resize(size_));
  return survive_ == Survive::kPowerCut ? file_.Sync() : Ok();
}

}  // namespace fx
