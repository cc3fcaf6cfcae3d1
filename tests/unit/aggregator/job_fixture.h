// Updates staged in a folder of a test, to be aggregated.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "aggregator/aggregate_job.h"
#include "core/base/format.h"
#include "core/base/random.h"
#include "tests/support/matchers.h"

namespace fx::aggregator::test {

using fx::test::IsOk;

// Scalars, empty and tiny tensors, and one of several blocks that starts within a block.
inline Model RandomModel(std::uint64_t seed) {
  Model model;
  for (const Shape& shape : {Shape{}, Shape{3}, Shape{0, 4}, Shape{2, 3, 3}, Shape{101, 1013},
                             Shape{1}, Shape{30'000}}) {
    RandomStream stream(seed, "model", model.size());
    Tensor tensor(shape);
    for (float& x : tensor.floats()) x = stream.NextFloat() - 0.5F;
    model.push_back({format("t{}", model.size()), std::move(tensor)});
  }
  return model;
}

class JobFixture : public testing::Test {
 protected:
  JobFixture()
      : models_(*ModelStore::Open(dir_.path() / "models")),
        spool_(*Spool::Open(dir_.path() / "spool")),
        memories_(dir_.path() / "memory") {
    action_.round = Round{4};
    action_.base = *models_.Add(RandomModel(0));
  }

  void Stage(const std::string& who, const Model& update, std::int64_t samples,
             const std::string& task = "train") {
    const Path temp = dir_.path() / "update";
    const UpdateId id{WriteModelFile(temp, update, DigestKind::kFast)->digest};
    ASSERT_THAT(spool_.Commit(temp, action_.round, {who}, {task}, id), IsOk());
    action_.tasks[{task}].push_back({.who = {who}, .update = id, .num_samples = samples});
  }

  void StageThree() {
    Stage("ann", RandomModel(1), 100);
    Stage("bob", RandomModel(2), 300);
    Stage("cyd", RandomModel(3), 7);
  }

  Path PathOf(std::size_t index) const {
    const Contribution& c = action_.tasks.at({"train"}).at(index);
    return spool_.PathOf(action_.round, c.who, {"train"}, c.update);
  }

  Result<ModelId> Run(int threads = 2) {
    return RunAggregateJob(action_, how_,
                           {.models = models_, .spool = spool_, .memories = memories_}, threads);
  }

  std::size_t NumModels() const { return ListFolder(dir_.path() / "models")->size(); }

  TempDir dir_;
  ModelStore models_;
  Spool spool_;
  MemoryStore memories_;
  HowToAggregate how_;
  AggregateRound action_{};
};

}  // namespace fx::aggregator::test
