#include "aggregator/aggregate_job.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "aggregator/block_pipeline.h"
#include "aggregator/engine/metrics.h"
#include "aggregator/functions/weighted_average.h"
#include "core/base/digest.h"
#include "core/base/failpoint.h"
#include "core/base/file.h"
#include "core/base/format.h"

namespace fx::aggregator {
namespace {

constexpr std::size_t kBlockBytes = 256 << 10;
constexpr std::size_t kLeastBlockBytes = 32 << 10;
constexpr std::size_t kPartsBytes = 4 << 20;  // of one block, over all files read
constexpr std::uint64_t kWriteback = 8 << 20;

struct Update {
  std::string what;  // "the update of hospital-a for task train in round 3"
  Path path;
  UpdateId id;
  std::int64_t num_samples;
  bool checked;  // its bytes are known to have the digest
};

std::vector<Update> UpdatesOf(const AggregateRound& action, const Spool& spool) {
  std::vector<Update> updates;
  for (const auto& [task, contributions] : action.tasks) {
    for (const Contribution& c : contributions) {
      const Path path = spool.PathOf(action.round, c.who, task, c.update);
      updates.push_back({.what = format("the update of {} for task {} in round {}", c.who.value,
                                        task.value, Number(action.round)),
                         .path = path,
                         .id = c.update,
                         .num_samples = c.num_samples,
                         .checked = spool.Vouches(path)});
    }
  }
  return updates;
}

Status CheckFloats(const Layout& layout) {
  for (const TensorSpec& spec : layout) {
    if (spec.dtype == DType::kFloat32) continue;
    return Fail(ErrorCode::kUnimplemented,
                format("tensor {} of the model is {}, only float32 can be averaged", spec.name,
                       Name(spec.dtype)));
  }
  return Ok();
}

Result<ModelFile> OpenUpdate(const Update& update, const Layout& expected) {
  ModelFile file = TRY(ModelFile::Open(update.path));
  TRY(CheckLayout(file.layout(), expected));
  if (update.checked) return file;
  FastDigest digest;
  digest.Update(file.file_bytes());
  const std::string found = std::move(digest).FinishHex();
  if (found != update.id.value) {
    return Fail(ErrorCode::kDataLoss, format("{} is damaged: its digest is {}, expected {}",
                                             update.path.string(), found, update.id.value));
  }
  return file;
}

// Maps and checks every update; reading them for their digests is shared out. The error is that of
// the first bad update, whichever thread finds one first.
Result<std::vector<ModelFile>> OpenUpdates(const std::vector<Update>& updates,
                                           const Layout& expected, int threads) {
  std::vector<std::optional<Result<ModelFile>>> opened(updates.size());
  std::atomic<std::size_t> next = 0;
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < std::max(1, threads); ++i) {
      workers.emplace_back([&] {
        for (std::size_t k = next++; k < updates.size(); k = next++) {
          opened[k] = OpenUpdate(updates[k], expected);
        }
      });
    }
  }
  std::vector<ModelFile> files;
  for (std::size_t k = 0; k < updates.size(); ++k) {
    files.push_back(TRY(In(*std::move(opened[k]), format("cannot use {}", updates[k].what))));
  }
  return files;
}

// Makes any part of the next model's file from the same parts of the base and the updates, whose
// files are laid out alike.
class NextModel {
 public:
  NextModel(const ModelFile& base, const std::vector<ModelFile>& updates,
            const AggregationFunction& function)
      : base_(base), updates_(updates), function_(function), map_(MapModelFile(base.layout())) {}

  // `out` becomes the bytes from `begin` on. Thread-safe.
  void Make(std::uint64_t begin, std::span<std::byte> out) const {
    // What is not a tensor, header and padding, is as in the base.
    std::ranges::copy(base_.file_bytes().subspan(begin, out.size()), out.begin());
    const std::uint64_t end = begin + out.size();
    const auto after = std::ranges::upper_bound(map_.offsets, begin);
    auto tensor = static_cast<std::size_t>(after - map_.offsets.begin());
    if (tensor > 0) --tensor;
    for (; tensor < map_.offsets.size() && map_.offsets[tensor] < end; ++tensor) {
      FoldPart(tensor, begin, out);
    }
  }

  // The inputs up to here will not be read again.
  void Forget(std::uint64_t begin, std::uint64_t size) const {
    base_.Forget(begin, size);
    for (const ModelFile& update : updates_) update.Forget(begin, size);
  }

  // So that what is mapped of all inputs at once does not grow with their number.
  std::size_t BlockBytes() const {
    const std::size_t share = kPartsBytes / (updates_.size() + 1) / kLeastBlockBytes;
    return std::clamp(share * kLeastBlockBytes, kLeastBlockBytes, kBlockBytes);
  }

 private:
  void FoldPart(std::size_t tensor, std::uint64_t begin, std::span<std::byte> out) const {
    const std::uint64_t offset = map_.offsets[tensor];
    const std::uint64_t size = base_.layout()[tensor].byte_size();
    const std::uint64_t from = std::max(begin, offset);
    const std::uint64_t to = std::min(begin + out.size(), offset + size);
    if (from >= to) return;
    const std::size_t first = (from - offset) / sizeof(float);
    const std::size_t count = (to - from) / sizeof(float);
    std::vector<std::span<const float>> parts;
    parts.reserve(updates_.size());
    for (const ModelFile& update : updates_) {
      parts.push_back(update.floats(tensor).subspan(first, count));
    }
    const Block block{.base = base_.floats(tensor).subspan(first, count),
                      .updates = parts,
                      .whole_scalar = size == sizeof(float)};
    function_.Fold(block, {reinterpret_cast<float*>(out.data() + (from - begin)), count});
  }

  const ModelFile& base_;
  const std::vector<ModelFile>& updates_;
  const AggregationFunction& function_;
  const ModelFileMap map_;
};

struct Digests {
  std::string sha256, fast;
};

// Writes the file. Digesting and writing, to the disk too, go on while blocks are made.
Result<Digests> WriteNextModel(const NextModel& next, std::uint64_t size, const Path& path,
                               int threads) {
  FX_FAILPOINT_SCOPE("fold");
  OutputFile file = TRY(OutputFile::Open(path));
  Sha256 sha256;
  FastDigest fast;
  std::uint64_t on_its_way = 0;
  BlockPipeline pipeline(size, next.BlockBytes(), threads);
  TRY(pipeline.Run([&](std::uint64_t begin, std::span<std::byte> out) { next.Make(begin, out); },
                   [&](std::uint64_t begin, std::span<const std::byte> block) {
                     next.Forget(begin, block.size());
                     sha256.Update(block);
                     fast.Update(block);
                     const std::uint64_t end = begin + block.size();
                     if (end - on_its_way >= kWriteback) {
                       file.BeginWriteback(on_its_way, begin - on_its_way);
                       on_its_way = begin;
                     }
                     return file.WriteAt(begin, block);
                   }));
  TRY(file.Sync());
  return Digests{.sha256 = std::move(sha256).FinishHex(), .fast = std::move(fast).FinishHex()};
}

}  // namespace

Result<ModelId> RunAggregateJob(const AggregateRound& action, const ModelStore& models,
                                const Spool& spool, int threads) {
  const std::vector<Update> updates = UpdatesOf(action, spool);
  FX_CHECK(!updates.empty());
  const std::string context = format("cannot aggregate round {}", Number(action.round));
  const ModelFile base = TRY(In(models.OpenModel(action.base), context));
  TRY(In(CheckFloats(base.layout()), context));
  const std::vector<ModelFile> files =
      TRY(In(OpenUpdates(updates, base.layout(), threads), context));

  std::vector<std::int64_t> sizes;
  for (const Update& update : updates) sizes.push_back(update.num_samples);
  const WeightedAverage average(SharesOf(sizes));
  const Path temp = models.TempPath();
  const Result<Digests> digests =
      WriteNextModel(NextModel(base, files, average), base.file_bytes().size(), temp, threads);
  if (!digests) {
    (void)RemoveIfExists(temp);
    return In(Result<ModelId>(Fail(digests.error())), context);
  }
  return In(models.Adopt(temp, digests->sha256, digests->fast), context);
}

}  // namespace fx::aggregator
