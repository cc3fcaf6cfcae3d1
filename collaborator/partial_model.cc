#include "collaborator/partial_model.h"

#include <utility>

#include "core/base/format.h"

namespace fx::collaborator {

Result<PartialModel> PartialModel::Open(const Path& path, std::uint64_t size) {
  PartialModel partial(TRY(OutputFile::Open(path, OutputFile::Existing::kKeep)), size);
  const std::uint64_t there = TRY(FileSize(path));
  if (there > size) {
    TRY(partial.file_.Resize(0));
  } else if (there > 0) {
    const MappedFile old = TRY(MappedFile::Open(path));
    partial.digest_.Update(old.bytes());
    partial.position_ = there;
  }
  return partial;
}

Status PartialModel::Append(std::span<const std::span<const std::byte>> pieces) {
  const std::uint64_t begin = position_;
  for (const auto& bytes : pieces) {
    if (bytes.size() > size_ - position_) {
      return Fail(ErrorCode::kDataLoss,
                  format("the aggregator sends more than the {} bytes it announced", size_));
    }
    digest_.Update(bytes);
    position_ += bytes.size();
  }
  return file_.WriteAt(begin, pieces);
}

}  // namespace fx::collaborator
