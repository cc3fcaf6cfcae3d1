// The loader of text, for networks that predict the next character.
#pragma once

#include <memory>
#include <string>

#include "core/base/error.h"
#include "plan/data_spec.h"
#include "tasks/data_loader.h"

namespace fx {

// Reads a file, or the .txt files of a folder; or such as train and validation in a folder (with
// .txt if files). A sample is [sequence_length] characters as their numbers in the alphabet (from
// 1; 0: not in it), its target the sequence one character later, of the same shape; sequences do
// not overlap. What is held out and what a split deals are whole lines, or whole files, each as one
// text with what follows it at that site. Refuses a site's part that is not one character longer
// than a sequence.
Result<std::unique_ptr<DataLoader>> MakeTextDataLoader(const DataLoaderSettings& settings,
                                                       const std::string& data_path);

}  // namespace fx
