#include "tasks/loaders/idx.h"

#include <string>
#include <string_view>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "tasks/loaders/idx_file.h"
#include "tasks/loaders/parts.h"

namespace fx {
namespace {

constexpr std::string_view kDebianFolder = "/usr/share/datasets/fashion-mnist";

// What to do about a missing folder or file.
std::string HintFor(const Path& folder) {
  const std::string text = folder.lexically_normal().string();
  if (text.starts_with(kDebianFolder)) return "apt install dataset-fashion-mnist";
  return "an IDX data set is a folder of four files, each plain or with .gz: "
         "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, "
         "t10k-labels-idx1-ubyte";
}

// `stem` is e.g. "train-images", `suffix` "idx3-ubyte".
Result<Path> FindFile(const Path& folder, const std::string& stem, const std::string& suffix) {
  for (const char* separator : {"-", "."}) {
    for (const char* end : {"", ".gz"}) {
      Path path = folder / format("{}{}{}{}", stem, separator, suffix, end);
      if (Exists(path)) return path;
    }
  }
  return Fail(Error(ErrorCode::kNotFound, format("{}: neither {}-{} nor {}-{}.gz is there",
                                                 folder.string(), stem, suffix, stem, suffix))
                  .Hint(HintFor(folder)));
}

Result<Samples> LoadPart(const Path& folder, const std::string& part) {
  const Path images_path = TRY(FindFile(folder, part + "-images", "idx3-ubyte"));
  const Path labels_path = TRY(FindFile(folder, part + "-labels", "idx1-ubyte"));
  IdxArray images = TRY(ReadIdx(images_path, 3));
  const IdxArray labels = TRY(ReadIdx(labels_path, 1));
  const std::size_t count = labels.extents[0];
  if (images.extents[0] != count) {
    return Fail(ErrorCode::kInvalidArgument,
                format("{} has {} images but {} has {} labels; each image needs one",
                       images_path.string(), images.extents[0], labels_path.string(), count));
  }
  return Samples{.shape = {1, images.extents[1], images.extents[2]},
                 .size = count,
                 .bytes = std::move(images.values),
                 .targets = {labels.values.begin(), labels.values.end()},
                 .labels = {labels.values.begin(), labels.values.end()}};
}

}  // namespace

Result<std::unique_ptr<DataLoader>> MakeIdxDataLoader(const DataLoaderSettings& settings,
                                                      const std::string& data_path) {
  const DataPlace place = TRY(FindData(settings, data_path, HintFor(settings.dataset)));
  Samples train = TRY(LoadPart(place.path, "train"));
  Samples validation = TRY(LoadPart(place.path, "t10k"));
  Parts all{.train = std::move(train), .validation = std::move(validation)};
  Parts mine = TRY(In(TakeShard(settings, place.shard, std::move(all)), place.path.string()));
  return In(MakeLoader(settings, std::move(mine)), place.path.string());
}

}  // namespace fx
