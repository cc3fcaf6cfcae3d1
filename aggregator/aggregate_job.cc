#include "aggregator/aggregate_job.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "aggregator/block_pipeline.h"
#include "aggregator/engine/metrics.h"
#include "aggregator/functions/registry.h"
#include "aggregator/functions/squares.h"
#include "aggregator/functions/sums.h"
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
  double steps;
  bool checked;  // its bytes are known to have the digest
};

std::vector<Update> UpdatesOf(const AggregateRound& action, const HowToAggregate& how,
                              const Spool& spool) {
  std::vector<Update> updates;
  for (const auto& [task, contributions] : action.tasks) {
    for (const Contribution& c : contributions) {
      const Path path = spool.PathOf(action.round, c.who, task, c.update);
      updates.push_back({.what = format("the update of {} for task {} in round {}", c.who.value,
                                        task.value, Number(action.round)),
                         .path = path,
                         .id = c.update,
                         .num_samples = c.num_samples,
                         .steps = how.StepsOf(task, c.num_samples),
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

int ThreadsFor(std::size_t room_each, int threads) {
  const auto most = static_cast<int>(std::max<std::size_t>(1, kMostRoom / room_each));
  return std::min(threads, most);
}

// Reads all updates for the sums a function needs. Each block's are added up on their own, and then
// in the order of blocks: the sums do not depend on threads.
Result<std::vector<double>> SumSquares(const NextModel& next, std::size_t count, int threads) {
  FX_FAILPOINT_SCOPE("survey");
  std::vector<double> sums(count, 0.0);
  if (count == 0) return sums;
  const std::size_t bytes = count * sizeof(double);
  const std::uint64_t blocks = (next.size() + kBlockBytes - 1) / kBlockBytes;
  const auto survey = [&](std::uint64_t begin, std::span<std::byte> out) -> Status {
    const std::uint64_t from = begin / bytes * kBlockBytes;
    std::vector<double> part(count, 0.0);
    TRY(next.AddSquares(from, std::min<std::uint64_t>(from + kBlockBytes, next.size()), part));
    std::ranges::copy(std::as_bytes(std::span(part)), out.begin());
    return Ok();
  };
  const auto add = [&](std::uint64_t, std::span<const std::byte> out) {
    std::vector<double> part(count);
    std::ranges::copy(out, std::as_writable_bytes(std::span(part)).begin());
    for (std::size_t i = 0; i < count; ++i) sums[i] += part[i];
    return Ok();
  };
  BlockPipeline pipeline(blocks * bytes, bytes, ThreadsFor(next.room() + 4 * bytes, threads));
  TRY(pipeline.Run(survey, add));
  return sums;
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
  BlockPipeline pipeline(next.size(), kBlockBytes, ThreadsFor(next.room(), threads));
  TRY(pipeline.Run(make, digest));
  TRY(file.Sync());
  return Digests{.sha256 = std::move(sha256).FinishHex(), .fast = std::move(fast).FinishHex()};
}

// The files of what a function keeps: those of the round before, and the next.
struct MemoryFiles {
  std::vector<Path> temps;
  std::vector<OutputFile> after;
  std::vector<Memory> pairs;  // into `after`

  Status Sync() {
    for (OutputFile& file : after) TRY(file.Sync());
    return Ok();
  }
};

Result<std::unique_ptr<MemoryFiles>> OpenMemories(const AggregateRound& action,
                                                  const JobStores& stores, const Layout& layout,
                                                  std::size_t count) {
  auto files = std::make_unique<MemoryFiles>();
  if (count == 0) return files;
  std::vector<Path> before;
  if (!action.first) before = TRY(stores.memories.Find(action.round, action.base, count));
  files->temps = TRY(stores.memories.TempPaths(count));
  for (const Path& temp : files->temps) {
    files->after.push_back(TRY(OutputFile::Open(temp)));
    TRY(files->after.back().Resize(MapModelFile(layout).size));
  }
  for (std::size_t i = 0; i < count; ++i) {
    Memory memory{.before = {}, .after = &files->after[i]};
    if (!before.empty()) {
      const ModelFile file = TRY(ModelFile::Open(before[i]));
      TRY(In(CheckLayout(file.layout(), layout), before[i].string()));
      memory.before = TRY(InputFile::Open(before[i]));
    }
    files->pairs.push_back(std::move(memory));
  }
  return files;
}

Contributors ContributorsOf(const std::vector<Update>& updates) {
  std::vector<std::int64_t> sizes;
  Contributors contributors;
  for (const Update& update : updates) {
    sizes.push_back(update.num_samples);
    contributors.steps.push_back(update.steps);
  }
  contributors.shares = SharesOf(sizes);
  return contributors;
}

// The model's file comes last: with it, everything that the next round starts from is durable.
Result<ModelId> Fold(const AggregateRound& action, const HowToAggregate& how,
                     const JobStores& stores, int threads) {
  const std::vector<Update> updates = UpdatesOf(action, how, stores.spool);
  FX_CHECK(!updates.empty());
  const Layout layout = TRY(stores.models.OpenModel(action.base)).layout();
  TRY(CheckFloats(layout));
  InputFile model = TRY(InputFile::Open(stores.models.PathOf(action.base)));
  Source base{.file = std::move(model), .what = "the model of the round"};
  std::vector<Source> sources = TRY(OpenUpdates(updates, layout, threads));

  auto function = MakeAggregationFunction(how.function.function, how.function.settings,
                                          ContributorsOf(updates));
  if (action.forgets) function = ForgettingSums(std::move(function));
  auto memories = TRY(OpenMemories(action, stores, layout, function->Memories().size()));
  const NextModel next(layout, std::move(base), std::move(sources), *function,
                       std::move(memories->pairs));
  const std::size_t squares = SquaresFor(function->needs(), updates.size());
  function->Learn(TRY(SumSquares(next, squares, threads)));

  const Path temp = stores.models.TempPath();
  const Result<Digests> digests = WriteNextModel(next, temp, threads);
  if (!digests) {
    (void)RemoveIfExists(temp);
    return Fail(digests.error());
  }
  TRY(memories->Sync());
  TRY(stores.memories.Adopt(memories->temps, Next(action.round), {digests->sha256}));
  return stores.models.Adopt(temp, digests->sha256, digests->fast);
}

}  // namespace

Result<ModelId> RunAggregateJob(const AggregateRound& action, const HowToAggregate& how,
                                const JobStores& stores, int threads) {
  return In(Fold(action, how, stores, threads),
            format("cannot aggregate round {}", Number(action.round)));
}

}  // namespace fx::aggregator
