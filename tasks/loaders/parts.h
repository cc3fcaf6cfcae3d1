// What every loader ends with: samples read from files become the shard of a site, in two data
// sets.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/tensor/tensor.h"
#include "plan/data_spec.h"
#include "tasks/data_loader.h"

namespace fx {

// A site's place among those the plan's data set is cut for, counted from 0.
struct Shard {
  std::size_t site = 0, sites = 1;
};

// Where a site's samples are: all of `path`, or a shard of it.
struct DataPlace {
  Path path;
  std::optional<Shard> shard;
};

// `data_path` k, a whole number from 1 to settings.collaborator_count, is shard k of
// settings.dataset; anything else is a path of the site's own. Refuses a path that does not exist,
// with `hint`.
Result<DataPlace> FindData(const DataLoaderSettings& settings, const std::string& data_path,
                           const std::string& hint);

// Samples in memory, one after the other, row-major, as bytes or as numbers, and their targets.
struct Samples {
  Shape shape{}, target_shape{};
  std::size_t size = 0;
  std::vector<std::uint8_t> bytes{};  // one of the two
  std::vector<float> values{};        // ready for the network
  std::vector<float> targets{};
  std::vector<std::int32_t> labels{};  // what a split may go by: a class a sample, or empty
};

// Those of `indices`, in their order.
Samples Take(const Samples& all, const std::vector<std::uint32_t>& indices);

// What is trained on, and what is validated on.
struct Parts {
  Samples train, validation;
};

// Holds settings.validation_share out of data without a part for validation. Done before anything
// is dealt out, so that sites together validate on what one site would. `path` names the data in
// errors.
Result<Parts> HoldOut(const DataLoaderSettings& settings, const Path& path, const Samples& all);

// The shard's samples of both parts; all of them if there is no shard.
Result<Parts> TakeShard(const DataLoaderSettings& settings, const std::optional<Shard>& shard,
                        Parts parts);

// Both parts as data sets. Bytes are kept as such until they are gathered, as (byte / 255 - mean) /
// std, with the settings' numbers for their channel (the first extent of a shape of three). Refuses
// parts of different shapes.
Result<std::unique_ptr<DataLoader>> MakeLoader(const DataLoaderSettings& settings, Parts parts);

}  // namespace fx
