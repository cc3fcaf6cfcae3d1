#include "core/tensor/model_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <unordered_set>
#include <utility>
#include <variant>

#include "core/base/digest.h"
#include "core/base/format.h"

namespace fx {
namespace {

static_assert(std::endian::native == std::endian::little, "files are mapped as they are");

constexpr std::string_view kMagic = "FXMODEL1";
constexpr std::size_t kPreamble = 16;  // magic, header size, zero
constexpr std::uint64_t kAlignment = 64;
constexpr std::uint64_t kWriteBlock = 1 << 20;
constexpr std::size_t kMaxNameLength = 1024;

constexpr std::uint64_t Aligned(std::uint64_t offset) {
  return (offset + kAlignment - 1) / kAlignment * kAlignment;
}

tl::unexpected<Error> Refuse(std::string why) {
  return Fail(ErrorCode::kInvalidArgument, std::move(why));
}

template <typename T>
void Append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Reads little-endian numbers off the front of a header.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <typename T>
  Result<T> Number(std::string_view what) {
    const std::span<const std::byte> raw = TRY(Bytes(sizeof(T), what));
    T value;
    std::memcpy(&value, raw.data(), sizeof value);
    return value;
  }

  Result<std::span<const std::byte>> Bytes(std::size_t size, std::string_view what) {
    if (bytes_.size() < size) return Refuse(format("the header ends within the {}", what));
    const auto taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return taken;
  }

  std::size_t left() const { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
};

// The number of bytes of a tensor, or none if an extent is negative or the product is beyond
// kMaxModelBytes. Extents are bounded left to right, so NumElements cannot overflow afterwards.
std::optional<std::uint64_t> BoundedSize(const TensorSpec& spec) {
  std::uint64_t size = SizeOf(spec.dtype);
  for (const std::int64_t extent : spec.shape) {
    if (extent < 0) return std::nullopt;
    const auto n = static_cast<std::uint64_t>(extent);
    if (n > kMaxModelBytes || (n != 0 && size > kMaxModelBytes / n)) return std::nullopt;
    size *= n;
  }
  return size;
}

bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

Status CheckName(const std::string& name, std::size_t index) {
  if (name.empty()) return Refuse(format("tensor number {} has an empty name", index));
  if (name.size() > kMaxNameLength) {
    return Refuse(format("tensor number {} has a name of {} bytes, expected at most {}", index,
                         name.size(), kMaxNameLength));
  }
  if (std::ranges::any_of(name, IsControl)) {
    return Refuse(format("tensor number {} has a control character in its name", index));
  }
  return Ok();
}

// What a reader demands of a layout, so that a writer can refuse to write anything else.
Status CheckWritable(const Layout& layout) {
  if (layout.size() > kMaxTensors) {
    return Refuse(format("{} tensors, expected at most {}", layout.size(), kMaxTensors));
  }
  std::unordered_set<std::string_view> seen;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < layout.size(); ++i) {
    const TensorSpec& spec = layout[i];
    TRY(CheckName(spec.name, i));
    if (!seen.insert(spec.name).second) {
      return Refuse(format("two tensors are named {}", spec.name));
    }
    if (spec.shape.size() > kMaxRank) {
      return Refuse(format("tensor {} has {} extents, expected at most {}", spec.name,
                           spec.shape.size(), kMaxRank));
    }
    const std::optional<std::uint64_t> size = BoundedSize(spec);
    if (size) total = Aligned(total) + *size;
    if (!size || total > kMaxModelBytes) {
      return Refuse(
          format("tensor {} of shape {} is negative or makes the model larger than {} "
                 "bytes",
                 spec.name, ToString(spec.shape), kMaxModelBytes));
    }
  }
  return Ok();
}

Result<TensorSpec> ReadSpec(Reader& reader) {
  TensorSpec spec;
  const auto name_length = TRY(reader.Number<std::uint16_t>("length of a tensor's name"));
  const auto name = TRY(reader.Bytes(name_length, "name of a tensor"));
  spec.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  const auto dtype = TRY(reader.Number<std::uint8_t>("type of a tensor"));
  spec.dtype = TRY(ParseDType(dtype));
  const auto rank = TRY(reader.Number<std::uint8_t>("number of extents of a tensor"));
  if (rank > kMaxRank) {
    return Refuse(format("a tensor has {} extents, expected at most {}", rank, kMaxRank));
  }
  for (unsigned i = 0; i < rank; ++i) {
    spec.shape.push_back(TRY(reader.Number<std::int64_t>("shape of a tensor")));
  }
  return spec;
}

// The size of the header proper, from the first sixteen bytes.
Result<std::uint32_t> ReadPreamble(std::span<const std::byte> bytes) {
  if (bytes.size() < kPreamble) {
    return Refuse(format("{} bytes are too few for a model file", bytes.size()));
  }
  const std::string_view magic(reinterpret_cast<const char*>(bytes.data()), kMagic.size());
  if (magic.substr(0, 7) != kMagic.substr(0, 7)) {
    return Refuse("this is not a model file: it does not begin with FXMODEL");
  }
  if (magic != kMagic) {
    return Refuse(
        format("model file of version 0x{}, expected version 1 (0x31)", Hex(bytes.subspan(7, 1))));
  }
  Reader reader(bytes.subspan(kMagic.size()));
  const auto size = TRY(reader.Number<std::uint32_t>("size of the header"));
  if (size > kMaxModelHeader) {
    return Refuse(format("the header claims {} bytes, expected at most {}", size, kMaxModelHeader));
  }
  if (TRY(reader.Number<std::uint32_t>("reserved number")) != 0) {
    return Refuse("the reserved number after the header size is not zero");
  }
  return size;
}

bool AllZero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

// Writes blocks one after the other and digests them while they are in cache.
class DigestingWriter {
 public:
  DigestingWriter(OutputFile file, DigestKind kind) : file_(std::move(file)) {
    if (kind == DigestKind::kSha256) digest_.emplace<Sha256>();
  }

  Status Write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const auto block = bytes.first(std::min<std::size_t>(bytes.size(), kWriteBlock));
      std::visit([&](auto& digest) { digest.Update(block); }, digest_);
      TRY(file_.WriteAt(size_, block));
      size_ += block.size();
      bytes = bytes.subspan(block.size());
    }
    return Ok();
  }

  Status PadTo(std::uint64_t offset) {
    static constexpr std::array<std::byte, kAlignment> kZeros{};
    return Write(std::span(kZeros).first(offset - size_));
  }

  Result<WrittenModel> Finish(Survive survive) && {
    TRY(file_.Resize(size_));  // an older file of that name may have been longer
    if (survive == Survive::kPowerCut) TRY(file_.Sync());
    return WrittenModel{
        .size = size_,
        .digest = std::visit([](auto& d) { return std::move(d).FinishHex(); }, digest_)};
  }

 private:
  OutputFile file_;
  std::variant<FastDigest, Sha256> digest_;
  std::uint64_t size_ = 0;
};

Result<WrittenModel> WriteAll(const Path& path, const Model& model, const Layout& layout,
                              DigestKind kind, Survive survive) {
  DigestingWriter writer(TRY(OutputFile::Open(path, OutputFile::Existing::kKeep)), kind);
  const ModelFileMap map = MapModelFile(layout);
  TRY(writer.Write(AsBytes(EncodeModelHeader(layout))));
  for (std::size_t i = 0; i < model.size(); ++i) {
    TRY(writer.PadTo(map.offsets[i]));
    TRY(writer.Write(model[i].tensor.bytes()));
  }
  return std::move(writer).Finish(survive);
}

// The gaps between tensors must be zero, or equal models could be unequal files.
Status CheckGaps(std::span<const std::byte> bytes, const Layout& layout, const ModelFileMap& map) {
  std::uint64_t end = map.data_begin;
  for (std::size_t i = 0; i < layout.size(); ++i) {
    if (!AllZero(bytes.subspan(end, map.offsets[i] - end))) {
      return Refuse(format("the padding before tensor {} is not zero", layout[i].name));
    }
    end = map.offsets[i] + layout[i].byte_size();
  }
  return Ok();
}

}  // namespace

std::string EncodeModelHeader(const Layout& layout) {
  std::string header;
  Append(header, static_cast<std::uint32_t>(layout.size()));
  for (const TensorSpec& spec : layout) {
    Append(header, static_cast<std::uint16_t>(spec.name.size()));
    header += spec.name;
    Append(header, static_cast<std::uint8_t>(spec.dtype));
    Append(header, static_cast<std::uint8_t>(spec.shape.size()));
    for (const std::int64_t extent : spec.shape) Append(header, extent);
  }
  std::string bytes(kMagic);
  Append(bytes, static_cast<std::uint32_t>(header.size()));
  Append(bytes, std::uint32_t{0});
  bytes += header;
  bytes.resize(Aligned(bytes.size()), '\0');
  return bytes;
}

Result<Layout> DecodeModelHeader(std::span<const std::byte> bytes) {
  const std::uint32_t size = TRY(ReadPreamble(bytes));
  const std::uint64_t data_begin = Aligned(kPreamble + size);
  if (bytes.size() < data_begin) {
    return Refuse(format("the header is cut off: {} of {} bytes", bytes.size(), data_begin));
  }
  Reader reader(bytes.subspan(kPreamble, size));
  const auto count = TRY(reader.Number<std::uint32_t>("number of tensors"));
  if (count > kMaxTensors) {
    return Refuse(format("{} tensors, expected at most {}", count, kMaxTensors));
  }
  Layout layout;
  for (std::uint32_t i = 0; i < count; ++i) {
    layout.push_back(TRY(In(ReadSpec(reader), format("tensor number {}", i))));
  }
  if (reader.left() != 0) {
    return Refuse(format("{} bytes too many after the last tensor of the header", reader.left()));
  }
  if (!AllZero(bytes.subspan(kPreamble + size, data_begin - kPreamble - size))) {
    return Refuse("the padding after the header is not zero");
  }
  TRY(CheckWritable(layout));
  return layout;
}

ModelFileMap MapModelFile(const Layout& layout) {
  std::uint64_t header = kPreamble + sizeof(std::uint32_t);
  for (const TensorSpec& spec : layout) {
    header += sizeof(std::uint16_t) + spec.name.size() + 2 + 8 * spec.shape.size();
  }
  ModelFileMap map{.data_begin = Aligned(header), .offsets = {}, .size = Aligned(header)};
  map.offsets.reserve(layout.size());
  for (const TensorSpec& spec : layout) {
    map.offsets.push_back(Aligned(map.size));
    map.size = map.offsets.back() + spec.byte_size();
  }
  return map;
}

ModelFile::ModelFile(MappedFile file, Layout layout)
    : file_(std::move(file)), layout_(std::move(layout)), map_(MapModelFile(layout_)) {}

Result<ModelFile> ModelFile::Open(const Path& path) {
  MappedFile file = TRY(MappedFile::Open(path));
  const std::span<const std::byte> bytes = file.bytes();
  const std::string context = format("cannot use the model {}", path.string());
  Layout layout = TRY(In(DecodeModelHeader(bytes), context));
  const ModelFileMap map = MapModelFile(layout);
  if (bytes.size() != map.size) {
    return In(Result<ModelFile>(Refuse(format("the file has {} bytes, expected {} for its tensors",
                                              bytes.size(), map.size))),
              context);
  }
  TRY(In(CheckGaps(bytes, layout, map), context));
  return ModelFile(std::move(file), std::move(layout));
}

std::span<const std::byte> ModelFile::tensor_bytes(std::size_t index) const {
  FX_CHECK(index < layout_.size());
  return file_.bytes().subspan(map_.offsets[index], layout_[index].byte_size());
}

std::span<const float> ModelFile::floats(std::size_t index) const {
  const std::span<const std::byte> bytes = tensor_bytes(index);
  FX_CHECK(layout_[index].dtype == DType::kFloat32);
  return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

Model ModelFile::Load() const {
  return Clone(View());
}

Model ModelFile::View() const {
  Model model;
  model.reserve(layout_.size());
  for (std::size_t i = 0; i < layout_.size(); ++i) {
    const auto& [name, dtype, shape] = layout_[i];
    model.push_back({name, Tensor::Borrow(dtype, shape, tensor_bytes(i))});
  }
  return model;
}

Result<WrittenModel> WriteModelFile(const Path& path, const Model& model, DigestKind digest,
                                    Survive survive) {
  const Layout layout = LayoutOf(model);
  const std::string context = format("cannot write the model {}", path.string());
  TRY(In(CheckWritable(layout), context));
  Result<WrittenModel> written = WriteAll(path, model, layout, digest, survive);
  if (!written) (void)RemoveIfExists(path);
  return written;
}

Result<std::string> ModelFileSha256(const Path& path) {
  const MappedFile file = TRY(MappedFile::Open(path));
  return Sha256Hex(file.bytes());
}

std::ptrdiff_t FindNonFinite(std::span<const float> values) {
  // All exponent bits set. Counting a block without leaving it early lets the compiler vectorise.
  constexpr std::uint32_t kExponent = 0x7F800000;
  constexpr std::size_t kBlock = 1024;
  const auto is_bad = [](float v) {
    return (std::bit_cast<std::uint32_t>(v) & kExponent) == kExponent;
  };
  std::size_t begin = 0;
  for (; begin + kBlock <= values.size(); begin += kBlock) {
    std::uint32_t bad = 0;
    for (std::size_t i = 0; i < kBlock; ++i) bad += is_bad(values[begin + i]) ? 1U : 0U;
    if (bad != 0) break;
  }
  const auto rest = values.subspan(begin);
  const auto found = std::ranges::find_if(rest, is_bad);
  return found == rest.end() ? -1 : (found - rest.begin()) + static_cast<std::ptrdiff_t>(begin);
}

}  // namespace fx
