// OpenFL's model files: whatever we read, protobuf's own parser reads as the same tensors, and what
// we write of it reads as the same model.
#include <algorithm>

#include "rpc/openfl_model.pb.h"
#include "rpc/pbuf.h"
#include "tests/fuzz/fuzz.h"

namespace fx::fuzz {
namespace {

bool Same(const PbufModel& a, const PbufModel& b) {
  return a.round == b.round &&
         std::ranges::equal(a.model, b.model, [](const NamedTensor& x, const NamedTensor& y) {
           return x.name == y.name && x.tensor.shape() == y.tensor.shape() &&
                  std::ranges::equal(x.tensor.bytes(), y.tensor.bytes());
         });
}

void CheckAgainstProtobuf(std::string_view input, const PbufModel& ours) {
  ::ModelProto theirs;
  FX_CHECK(theirs.ParseFromArray(input.data(), static_cast<int>(input.size())));
  FX_CHECK(theirs.tensors_size() == std::ssize(ours.model));
  for (int i = 0; i < theirs.tensors_size(); ++i) {
    const NamedTensor& tensor = ours.model[static_cast<std::size_t>(i)];
    FX_CHECK(theirs.tensors(i).name() == tensor.name);
    FX_CHECK(std::ranges::equal(AsBytes(theirs.tensors(i).data_bytes()), tensor.tensor.bytes()));
  }
}

}  // namespace

void Try(std::string_view input) {
  static InputFile file("model.pbuf");
  static InputFile copy("copy.pbuf");
  PbufModel model;
  {
    const MemoryBound bound(input, 64, MemoryBound::kProtobufAllowance);
    auto read = ReadPbuf(file.Holding(input));
    if (!read) return;
    model = *std::move(read);
  }
  CheckAgainstProtobuf(input, model);
  FX_CHECK(WritePbuf(copy.path(), model.model, model.round).has_value());
  const auto again = ReadPbuf(copy.path());
  FX_CHECK(again.has_value() && Same(*again, model));
}

}  // namespace fx::fuzz
