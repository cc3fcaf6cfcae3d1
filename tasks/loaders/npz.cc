#include "tasks/loaders/npz.h"

#include <cmath>
#include <map>
#include <utility>

#include "core/base/format.h"
#include "tasks/loaders/npy_file.h"
#include "tasks/loaders/parts.h"

namespace fx {
namespace {

constexpr float kMaxClass = 1e6;

// Whole numbers from 0, one a sample, are classes, which a split may go by.
std::vector<std::int32_t> ClassesOf(const std::vector<float>& targets) {
  std::vector<std::int32_t> classes;
  for (const float target : targets) {
    if (target < 0 || target > kMaxClass || target != std::floor(target)) return {};
    classes.push_back(static_cast<std::int32_t>(target));
  }
  return classes;
}

Result<Samples> Pair(const Path& path, const std::string& part, NpyArray x, NpyArray y) {
  if (x.shape.empty() || y.shape.empty() || x.shape[0] != y.shape[0]) {
    return Fail(ErrorCode::kInvalidArgument,
                format("{}: x_{} is {} and y_{} {}; the first numbers must be the same: that of "
                       "samples",
                       path.string(), part, ToString(x.shape), part, ToString(y.shape)));
  }
  Samples samples{.shape = {x.shape.begin() + 1, x.shape.end()},
                  .target_shape = {y.shape.begin() + 1, y.shape.end()},
                  .size = static_cast<std::size_t>(x.shape[0]),
                  .bytes = std::move(x.bytes),
                  .values = std::move(x.values),
                  .targets = std::move(y.values)};
  if (!y.bytes.empty()) samples.targets.assign(y.bytes.begin(), y.bytes.end());
  if (NumElements(samples.target_shape) == 1) samples.labels = ClassesOf(samples.targets);
  return samples;
}

}  // namespace

Result<std::unique_ptr<DataLoader>> MakeNpzDataLoader(const DataLoaderSettings& settings,
                                                      const std::string& data_path) {
  const DataPlace place = TRY(
      FindData(settings, data_path,
               "numpy.savez(file, x_train=..., y_train=..., x_test=..., y_test=...) makes one"));
  auto arrays = TRY(ReadArrays(place.path, {"x_train", "y_train", "x_test", "y_test"}));
  Parts all;
  all.train =
      TRY(Pair(place.path, "train", std::move(arrays["x_train"]), std::move(arrays["y_train"])));
  all.validation =
      TRY(Pair(place.path, "test", std::move(arrays["x_test"]), std::move(arrays["y_test"])));
  Parts mine = TRY(In(TakeShard(settings, place.shard, std::move(all)), place.path.string()));
  return In(MakeLoader(settings, std::move(mine)), place.path.string());
}

}  // namespace fx
