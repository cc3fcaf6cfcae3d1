// The loader of volumes, for networks that segment slices.
#pragma once

#include <memory>
#include <string>

#include "core/base/error.h"
#include "plan/data_spec.h"
#include "tasks/data_loader.h"

namespace fx {

// Reads the volumes of a folder, or of such folders as train and validation in it, in order of
// names, and cuts them across settings.volume.axis. A slice is [1, height, width] with the later of
// the two axes as height, normalised; its target, of the same shape, is 1 where the label is not 0:
// the volume itself, or that of the same name in `labels`.
//
// Without a validation folder, whole volumes are held out (neighbouring slices are nearly the
// same); of a single volume, its last slices. A split deals slices; contiguous keeps those of a
// volume together.
//
// Refuses, naming the file: what ReadVolume refuses; a label volume that is missing or of other
// extents; slices of other sizes than those before, unless settings.image.size makes them alike.
Result<std::unique_ptr<DataLoader>> MakeNiftiDataLoader(const DataLoaderSettings& settings,
                                                        const std::string& data_path);

}  // namespace fx
