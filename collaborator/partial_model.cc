#include "collaborator/partial_model.h"

#include <utility>

#include "core/base/format.h"

namespace fx::collaborator {

Result<PartialModel> PartialModel::Open(const Path& path, std::uint64_t size) {
  PartialModel partial(TRY(PartialFile::Open(path, size, FileMode::kPublic, Survive::kProcess)),
                       size);
  if (partial.position() == 0) return partial;
  const MappedFile old = TRY(MappedFile::Open(path));
  partial.digest_.Update(old.bytes().first(static_cast<std::size_t>(partial.position())));
  return partial;
}

Status PartialModel::Append(std::span<const std::span<const std::byte>> pieces) {
  std::uint64_t missing = size_ - position();
  for (const auto& bytes : pieces) {
    if (bytes.size() > missing) {
      return Fail(ErrorCode::kDataLoss,
                  format("the aggregator sends more than the {} bytes it announced", size_));
    }
    digest_.Update(bytes);
    missing -= bytes.size();
  }
  return file_.Append(pieces);
}

Result<std::string> PartialModel::Finish() {
  TRY(file_.Finish());
  return std::move(digest_).FinishHex();
}

}  // namespace fx::collaborator
