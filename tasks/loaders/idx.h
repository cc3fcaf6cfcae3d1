// The loader of image sets in IDX form: MNIST, Fashion-MNIST and whatever is distributed like them.
#pragma once

#include <memory>
#include <string>

#include "core/base/error.h"
#include "plan/plan.h"
#include "tasks/data_loader.h"

namespace fx {

// Reads train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-... and t10k-labels-...
// (each plain or with .gz, and also spelt train-images.idx3-ubyte) from a folder. Training data are
// the train files, validation data the t10k files. Samples are [1, rows, columns],
// (pixel / 255 - mean) / std; pixels are kept as bytes until they are gathered.
//
// `data_path` k, a whole number from 1 to settings.collaborator_count, is shard k of
// settings.dataset as settings.split cuts it (tasks/loaders/split.h); otherwise it is a folder of
// the same four files, and all of it is used.
Result<std::unique_ptr<DataLoader>> MakeIdxDataLoader(const DataLoaderSettings& settings,
                                                      const std::string& data_path);

}  // namespace fx
