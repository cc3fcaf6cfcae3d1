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
#include "aggregator/next_model.h"
#include "core/base/digest.h"
#include "core/base/failpoint.h"
#include "core/base/file.h"
#include "core/base/format.h"

namespace fx::aggregator {
namespace {

constexpr std::size_t kBlockBytes = 256 << 10;
constexpr std::uint64_t kWriteback = 4 << 20;
constexpr std::size_t kMostOpen = 128;                    // files at a time
constexpr std::size_t kMostRoom = std::size_t{64} << 20;  // of all threads

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

Status CheckDigest(const Update& update, const ModelFile& file) {
  FastDigest digest;
  digest.Update(file.file_bytes());
  const std::string found = std::move(digest).FinishHex();
  if (found == update.id.value) return Ok();
  return Fail(ErrorCode::kDataLoss, format("{} is damaged: its digest is {}, expected {}",
                                           update.path.string(), found, update.id.value));
}

// Checks that it is what it is called, a model like `expected`.
Result<Source> OpenUpdate(const Update& update, const Layout& expected, bool mapped) {
  ModelFile file = TRY(ModelFile::Open(update.path));
  TRY(CheckLayout(file.layout(), expected));
  if (!update.checked) TRY(CheckDigest(update, file));
  if (mapped) return Source{.file = std::move(file), .what = update.what};
  InputFile input = TRY(InputFile::Open(update.path));
  return Source{.file = std::move(input), .what = update.what};
}

// Opens and checks every update; reading them for their digests is shared out. The error is that of
// the first bad update, whichever thread finds one first.
Result<std::vector<Source>> OpenUpdates(const std::vector<Update>& updates, const Layout& expected,
                                        int threads) {
  const bool mapped = updates.size() > kMostOpen;
  std::vector<std::optional<Result<Source>>> opened(updates.size());
  std::atomic<std::size_t> next = 0;
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < std::max(1, threads); ++i) {
      workers.emplace_back([&] {
        for (std::size_t k = next++; k < updates.size(); k = next++) {
          opened[k] = OpenUpdate(updates[k], expected, mapped);
        }
      });
    }
  }
  std::vector<Source> sources;
  for (std::size_t k = 0; k < updates.size(); ++k) {
    sources.push_back(TRY(In(*std::move(opened[k]), format("cannot use {}", updates[k].what))));
  }
  return sources;
}

struct Digests {
  std::string sha256, fast;
};

// Writes the file. Digesting the oldest block, which nobody can share out, goes on while others
// make and write theirs; so does the disk.
Result<Digests> WriteNextModel(const NextModel& next, const Path& path, int threads) {
  FX_FAILPOINT_SCOPE("fold");
  OutputFile file = TRY(OutputFile::Open(path, OutputFile::Existing::kKeep));
  TRY(file.Resize(next.size()));
  Sha256 sha256;
  FastDigest fast;
  std::uint64_t on_its_way = 0;
  const auto make = [&](std::uint64_t begin, std::span<std::byte> out) -> Status {
    TRY(next.Make(begin, out));
    return file.WriteAt(begin, out);
  };
  const auto digest = [&](std::uint64_t begin, std::span<const std::byte> block) {
    sha256.Update(block);
    fast.Update(block);
    const std::uint64_t end = begin + block.size();
    if (end - on_its_way >= kWriteback) {
      file.BeginWriteback(on_its_way, end - on_its_way);
      on_its_way = end;
    }
    return Ok();
  };
  const auto most = static_cast<int>(std::max<std::size_t>(1, kMostRoom / next.room()));
  BlockPipeline pipeline(next.size(), kBlockBytes, std::min(threads, most));
  TRY(pipeline.Run(make, digest));
  TRY(file.Sync());
  return Digests{.sha256 = std::move(sha256).FinishHex(), .fast = std::move(fast).FinishHex()};
}

}  // namespace

Result<ModelId> RunAggregateJob(const AggregateRound& action, const ModelStore& models,
                                const Spool& spool, int threads) {
  const std::vector<Update> updates = UpdatesOf(action, spool);
  FX_CHECK(!updates.empty());
  const std::string context = format("cannot aggregate round {}", Number(action.round));
  const Layout layout = TRY(In(models.OpenModel(action.base), context)).layout();
  TRY(In(CheckFloats(layout), context));
  InputFile model = TRY(In(InputFile::Open(models.PathOf(action.base)), context));
  Source base{.file = std::move(model), .what = "the model of the round"};
  std::vector<Source> sources = TRY(In(OpenUpdates(updates, layout, threads), context));

  std::vector<std::int64_t> sizes;
  for (const Update& update : updates) sizes.push_back(update.num_samples);
  const WeightedAverage average(SharesOf(sizes));
  const Path temp = models.TempPath();
  const Result<Digests> digests = WriteNextModel(
      NextModel(layout, std::move(base), std::move(sources), average), temp, threads);
  if (!digests) {
    (void)RemoveIfExists(temp);
    return In(Result<ModelId>(Fail(digests.error())), context);
  }
  return In(models.Adopt(temp, digests->sha256, digests->fast), context);
}

}  // namespace fx::aggregator
