// fx model save: turns a .pbuf model file into an .npz that numpy opens.
#pragma once

#include <memory>
#include <string>

#include "core/tensor/tensor.h"
#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeModelSave();

// A tensor as a .npy file, version 1.0 (numpy.lib.format): a header of Python literals padded to 64
// bytes, then the values, little-endian and row-major.
std::string EncodeNpy(const Tensor& tensor);

}  // namespace fx
