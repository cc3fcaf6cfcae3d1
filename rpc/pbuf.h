// OpenFL's model files (.pbuf): a bare serialised ModelProto, float32 little-endian, one metadata
// entry with the shape a tensor. Written and read so that either system can take the other's.
#pragma once

#include <cstdint>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/tensor/model_file.h"
#include "core/tensor/tensor.h"

namespace fx {

struct PbufModel {
  Model model;
  std::int32_t round = 0;  // aggregations the model has seen
};

// Atomic: after a crash `path` holds the old model or the new one.
Status WritePbuf(const Path& path, const Model& model, std::int32_t round);
Status WritePbuf(const Path& path, const ModelFile& model, std::int32_t round);

// The round of a file, without reading its values. Refuses a file that does not begin as one.
Result<std::int32_t> ReadPbufRound(const Path& path);

// Refuses, naming the tensor: bytes that do not parse, sizes that do not match shapes, duplicate
// names, lossy or compressed tensors (with the pipeline to blame in the hint).
Result<PbufModel> ReadPbuf(const Path& path);

// The same without a copy: the tensors are borrowed from the mapped file. Only their bytes may be
// looked at, for nothing aligns them.
struct MappedPbuf {
  MappedFile file;
  Model model;
};
Result<MappedPbuf> MapPbuf(const Path& path);

}  // namespace fx
