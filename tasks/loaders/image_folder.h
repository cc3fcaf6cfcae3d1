// The loader of folders of pictures.
#pragma once

#include <memory>
#include <string>

#include "core/base/error.h"
#include "plan/data_spec.h"
#include "tasks/data_loader.h"

namespace fx {

// Classification: a folder with a folder of pictures for each of settings.classes, whose number is
// the target. Segmentation: a folder with `images` and, of the same names up to the ending,
// `masks`; the target [1, height, width] is 1 where the mask is not black. Either folder itself, of
// which settings.validation_share is held out, or such folders as train and validation in it.
// Samples are [channels, height, width], kept as bytes until they are gathered. All is read in
// order of names.
//
// Refuses, naming file or folder: a damaged picture, one of another size than the first (unless
// resized), a class folder that the plan does not name, no pictures at all, a picture without mask,
// a mask of another size than its picture.
Result<std::unique_ptr<DataLoader>> MakeImageFolderDataLoader(const DataLoaderSettings& settings,
                                                              const std::string& data_path);

}  // namespace fx
