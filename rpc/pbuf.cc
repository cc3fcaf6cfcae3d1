#include "rpc/pbuf.h"

#include <google/protobuf/stubs/logging.h>

#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "core/base/format.h"
#include "rpc/openfl_model.pb.h"

namespace fx {
namespace {

// Field keys of the wire format: number << 3 | wire type 2 (length-delimited).
constexpr std::uint64_t kTensorsKey = 1 << 3 | 2;
constexpr std::uint64_t kDataKey = 7 << 3 | 2;

// What a tensor's name, tags and metadata may take together.
constexpr std::size_t kMaxDescription = 1U << 20;

using Bytes = std::span<const std::byte>;

void AppendVarint(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

std::size_t VarintSize(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

// Reads the wire format front to back. Every method refuses to pass the end.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : bytes_(bytes) {}

  bool done() const { return bytes_.empty(); }
  std::size_t left() const { return bytes_.size(); }

  Result<std::uint64_t> Varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) return Truncated();
      const auto byte = std::to_integer<std::uint64_t>(bytes_.front());
      bytes_ = bytes_.subspan(1);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return Fail(ErrorCode::kInvalidArgument, "a number is longer than ten bytes");
  }

  Result<Bytes> Take(std::uint64_t size) {
    if (size > bytes_.size()) return Truncated();
    const Bytes taken = bytes_.first(static_cast<std::size_t>(size));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }

  Result<Bytes> Delimited() { return Take(TRY(Varint())); }

  // Skips the value of a field whose key has been read.
  Status SkipValue(std::uint64_t key) {
    if (key < 8 || key > UINT32_MAX) {
      return Fail(ErrorCode::kInvalidArgument, format("a field has number {}", key >> 3));
    }
    switch (key & 7) {
      case 0:
        TRY(Varint());
        return Ok();
      case 1:
        TRY(Take(8));
        return Ok();
      case 2:
        TRY(Delimited());
        return Ok();
      case 5:
        TRY(Take(4));
        return Ok();
      default:
        return Fail(ErrorCode::kInvalidArgument, format("a field has wire type {}", key & 7));
    }
  }

 private:
  static tl::unexpected<Error> Truncated() {
    return Fail(ErrorCode::kInvalidArgument, "it ends in the middle of a field");
  }

  Bytes bytes_;
};

// One tensor as it lies in the file: everything but its values, and a view of those.
struct RawTensor {
  ::NamedTensor description;
  Bytes data;
};

Result<RawTensor> ParseTensor(Bytes message) {
  RawTensor raw;
  std::string description;
  for (Cursor cursor(message); !cursor.done();) {
    const std::size_t begin = message.size() - cursor.left();
    const std::uint64_t key = TRY(cursor.Varint());
    if (key == kDataKey) {
      raw.data = TRY(cursor.Delimited());
      continue;
    }
    TRY(cursor.SkipValue(key));
    const Bytes field = message.subspan(begin, message.size() - cursor.left() - begin);
    if (description.size() + field.size() > kMaxDescription) {
      return Fail(ErrorCode::kInvalidArgument, "name, tags and metadata exceed 1 MiB");
    }
    description.append(reinterpret_cast<const char*>(field.data()), field.size());
  }
  const google::protobuf::LogSilencer errors_are_returned;
  if (!raw.description.ParseFromString(description)) {
    return Fail(ErrorCode::kInvalidArgument, "its name, tags or metadata do not parse");
  }
  return raw;
}

Status CheckPlain(const ::NamedTensor& description) {
  const bool one = description.transformer_metadata_size() == 1;
  if (description.lossless() && one && description.transformer_metadata(0).int_to_float().empty() &&
      description.transformer_metadata(0).bool_list().empty()) {
    return Ok();
  }
  return Fail(Error(ErrorCode::kInvalidArgument, "it is compressed or lossy")
                  .Hint("write the file with compression_pipeline.template NoCompressionPipeline"));
}

// The shape, once it is known to describe `size` bytes of float32.
Result<Shape> ShapeOf(const MetadataProto& metadata, std::size_t size) {
  const Shape shape(metadata.int_list().begin(), metadata.int_list().end());
  if (shape.size() > kMaxRank) {
    return Fail(ErrorCode::kInvalidArgument,
                format("it has {} dimensions, at most {} are supported", shape.size(), kMaxRank));
  }
  bool fits = true;
  std::uint64_t nonzero =
      1;  // of the extents that are not zero; bounded, so that nothing overflows
  bool empty = false;
  for (const std::int64_t extent : shape) {
    empty = empty || extent == 0;
    if (extent == 0) continue;
    fits = fits && extent > 0 && nonzero <= kMaxModelBytes / static_cast<std::uint64_t>(extent);
    if (fits) nonzero *= static_cast<std::uint64_t>(extent);
  }
  if (!fits || (empty ? 0 : nonzero) * sizeof(float) != size) {
    return Fail(ErrorCode::kInvalidArgument,
                format("shape {} does not describe {} bytes of float32", ToString(shape), size));
  }
  return shape;
}

Result<Tensor> ToTensor(const RawTensor& raw) {
  TRY(CheckPlain(raw.description));
  Shape shape = TRY(ShapeOf(raw.description.transformer_metadata(0), raw.data.size()));
  return Tensor::Borrow(DType::kFloat32, std::move(shape), raw.data);
}

Status AppendTensor(Bytes message, std::set<std::string>& names, PbufModel& to) {
  const std::size_t index = to.model.size();
  const RawTensor raw = TRY(In(ParseTensor(message), format("tensor {}", index)));
  const std::string& name = raw.description.name();
  if (name.empty()) {
    return Fail(ErrorCode::kInvalidArgument, format("tensor {} has no name", index));
  }
  if (!names.insert(name).second) {
    return Fail(ErrorCode::kInvalidArgument, format("tensor {} appears twice", name));
  }
  if (index == kMaxTensors) {
    return Fail(ErrorCode::kInvalidArgument, format("it has more than {} tensors", kMaxTensors));
  }
  if (index == 0) to.round = raw.description.round_number();
  Tensor tensor = TRY(In(ToTensor(raw), "tensor " + name));
  to.model.push_back({.name = name, .tensor = std::move(tensor)});
  return Ok();
}

// The tensors are borrowed from `bytes`.
Result<PbufModel> Parse(Bytes bytes) {
  PbufModel result;
  std::set<std::string> names;
  for (Cursor cursor(bytes); !cursor.done();) {
    const std::uint64_t key = TRY(cursor.Varint());
    if (key == kTensorsKey) {
      const Bytes message = TRY(cursor.Delimited());
      TRY(AppendTensor(message, names, result));
    } else {
      TRY(cursor.SkipValue(key));
    }
  }
  if (result.model.empty()) return Fail(ErrorCode::kInvalidArgument, "it holds no tensors");
  return result;
}

// As every tensor says it.
Result<std::int32_t> ParseRound(Bytes bytes) {
  for (Cursor cursor(bytes); !cursor.done();) {
    const std::uint64_t key = TRY(cursor.Varint());
    if (key == kTensorsKey) {
      const Bytes message = TRY(cursor.Delimited());
      const RawTensor first = TRY(ParseTensor(message));
      return first.description.round_number();
    }
    TRY(cursor.SkipValue(key));
  }
  return Fail(ErrorCode::kInvalidArgument, "it holds no tensors");
}

std::string NotAModel(const Path& path) {
  return path.string() + " is not an OpenFL model file";
}

// The bytes of a tensor's message up to its values: what protobuf would write, without a copy of
// the values in memory.
Result<std::string> EncodePrefix(const TensorSpec& spec, std::int32_t round) {
  if (spec.dtype != DType::kFloat32) {
    return Fail(
        ErrorCode::kInvalidArgument,
        format("tensor {} is {}, a .pbuf file holds only float32", spec.name, Name(spec.dtype)));
  }
  ::NamedTensor description;
  description.set_name(spec.name);
  description.set_round_number(round);
  description.set_lossless(true);
  description.add_tags("model");
  MetadataProto* metadata = description.add_transformer_metadata();
  for (const std::int64_t extent : spec.shape) {
    if (extent > INT32_MAX) {
      return Fail(ErrorCode::kInvalidArgument,
                  format("tensor {} has shape {}, a .pbuf file holds extents below 2^31", spec.name,
                         ToString(spec.shape)));
    }
    metadata->add_int_list(static_cast<std::int32_t>(extent));
  }
  const std::string head = description.SerializeAsString();
  const std::uint64_t data = spec.byte_size();
  const std::uint64_t data_field = data == 0 ? 0 : 1 + VarintSize(data) + data;

  std::string prefix;
  AppendVarint(kTensorsKey, prefix);
  AppendVarint(head.size() + data_field, prefix);
  prefix += head;
  if (data != 0) {
    AppendVarint(kDataKey, prefix);
    AppendVarint(data, prefix);
  }
  return prefix;
}

Status WriteTensors(const Path& path, const Layout& layout, std::int32_t round,
                    const std::function<Bytes(std::size_t)>& values) {
  OutputFile file = TRY(OutputFile::Open(path));
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < layout.size(); ++i) {
    const std::string prefix = TRY(EncodePrefix(layout[i], round));
    TRY(file.WriteAt(offset, AsBytes(prefix)));
    offset += prefix.size();
    TRY(file.WriteAt(offset, values(i)));
    offset += values(i).size();
  }
  return file.Sync();
}

Status WriteAtomically(const Path& path, const Layout& layout, std::int32_t round,
                       const std::function<Bytes(std::size_t)>& values) {
  const Path temporary = path.string() + ".tmp";
  Status written = WriteTensors(temporary, layout, round, values);
  if (written) written = RenameDurably(temporary, path);
  if (!written) (void)RemoveIfExists(temporary);
  return In(std::move(written), "cannot write " + path.string());
}

}  // namespace

Status WritePbuf(const Path& path, const Model& model, std::int32_t round) {
  return WriteAtomically(path, LayoutOf(model), round,
                         [&](std::size_t i) { return model[i].tensor.bytes(); });
}

Status WritePbuf(const Path& path, const ModelFile& model, std::int32_t round) {
  return WriteAtomically(path, model.layout(), round,
                         [&](std::size_t i) { return model.tensor_bytes(i); });
}

Result<PbufModel> ReadPbuf(const Path& path) {
  const MappedFile file = TRY(MappedFile::Open(path));
  PbufModel read = TRY(In(Parse(file.bytes()), NotAModel(path)));
  read.model = Clone(read.model);
  return read;
}

Result<MappedPbuf> MapPbuf(const Path& path) {
  MappedFile file = TRY(MappedFile::Open(path));
  PbufModel read = TRY(In(Parse(file.bytes()), NotAModel(path)));
  return MappedPbuf{.file = std::move(file), .model = std::move(read.model)};
}

Result<std::int32_t> ReadPbufRound(const Path& path) {
  const MappedFile file = TRY(MappedFile::Open(path));
  return In(ParseRound(file.bytes()), NotAModel(path));
}

}  // namespace fx
