// The loader of numpy's arrays.
#pragma once

#include <memory>
#include <string>

#include "core/base/error.h"
#include "plan/data_spec.h"
#include "tasks/data_loader.h"

namespace fx {

// Reads x_train, y_train, x_test and y_test from an .npz file, or from a folder with each as .npy.
// The first extent counts samples, the others are the shape of a sample or target. Samples of
// bytes are (byte / 255 - mean) / std; others are taken as they are, and so are targets. Refuses
// what ParseNpy refuses, and samples and targets that do not pair up.
Result<std::unique_ptr<DataLoader>> MakeNpzDataLoader(const DataLoaderSettings& settings,
                                                      const std::string& data_path);

}  // namespace fx
