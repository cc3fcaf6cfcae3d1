// Messages of strangers: in however many slices they come, they are the same message, and their
// header lets in nobody but whom the rules name.
#include <algorithm>
#include <vector>

#include "rpc/bytes.h"
#include "rpc/convert.h"
#include "tests/fuzz/fuzz.h"

namespace fx::fuzz {
namespace {

const CallerRules kCallers = {.identity = {.aggregator_uuid = "aggregator_plan.yaml_0a1b2c3d",
                                           .federation_uuid = "plan.yaml_0a1b2c3d",
                                           .plan_digest = std::string(96, '7')},
                              .authorized = {{"ann"}, {"bob"}}};
const std::vector<std::string> kCertificate = {"ann", "ann", "zoe"};

grpc::ByteBuffer Sliced(std::string_view bytes, RandomStream draws) {
  std::vector<grpc::Slice> slices;
  InPieces(bytes, draws,
           [&](std::string_view piece) { slices.emplace_back(piece.data(), piece.size()); });
  return {slices.data(), slices.size()};
}

template <typename Message>
void CheckMessage(std::string_view bytes, RandomStream draws) {
  Message whole;
  Message sliced;
  {
    const MemoryBound bound(bytes, 32, MemoryBound::kProtobufAllowance);
    const auto owner = std::make_shared<const std::string>(bytes);
    const bool parses = Unpack(WrapBytes(AsBytes(*owner), owner), whole).has_value();
    FX_CHECK(parses == Unpack(Sliced(bytes, draws), sliced).has_value());
    if (!parses) return;
  }
  FX_CHECK(whole.SerializeAsString() == sliced.SerializeAsString());
  FX_CHECK(Unpack(Pack(whole), sliced).has_value());
  FX_CHECK(whole.SerializeAsString() == sliced.SerializeAsString());
}

void CheckCaller(std::string_view bytes) {
  wire::GetTasksRequest request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  const wire::Header& header = request.header();
  const auto sender = CheckHeader(header, kCallers, kCertificate);
  // Of those who are authorised the certificate names only ann.
  FX_CHECK(!sender || sender->value == "ann");
  FX_CHECK(!sender || header.plan_digest() == kCallers.identity.plan_digest);
  FX_CHECK(!sender || header.receiver() == kCallers.identity.aggregator_uuid);
  FX_CHECK(!sender || header.federation_uuid() == kCallers.identity.federation_uuid);
  if (!sender) FX_CHECK(IsPrintable(sender.error().OneLine()));
}

}  // namespace

// The first byte says how the rest is cut.
void Try(std::string_view input) {
  if (input.empty()) return;
  const RandomStream draws(static_cast<unsigned char>(input.front()), "slices");
  const std::string_view bytes = input.substr(1);
  CheckMessage<wire::GetTasksRequest>(bytes, draws);
  CheckMessage<wire::GetTasksResponse>(bytes, draws);
  CheckMessage<wire::DownloadRequest>(bytes, draws);
  CheckMessage<wire::UploadHeader>(bytes, draws);
  CheckMessage<wire::UploadReply>(bytes, draws);
  CheckCaller(bytes);
  const std::string quoted = Quoted(bytes);
  FX_CHECK(IsPrintable(quoted) && quoted.size() <= 90);
}

}  // namespace fx::fuzz
