// The first message of an upload, from bytes to verdict: whoever is let through has sent exactly
// what the federation expects.
#include <cmath>

#include "rpc/bytes.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/upload_rules.h"

namespace fx::fuzz {
namespace {

using aggregator::JudgeUpload;
using aggregator::UploadTicket;

const aggregator::UploadRules kRules = FuzzedRules();
const aggregator::RoundView kRound = FuzzedRound();

void CheckTicket(const UploadTicket& ticket) {
  FX_CHECK(ticket.round == kRound.round && ticket.who == kUploader);
  FX_CHECK(kRound.tasks.contains(ticket.task));
  const bool tensors = kRules.tasks.at(ticket.task);
  FX_CHECK(ticket.size == (tensors ? kRules.map.size : 0));
  FX_CHECK(ticket.update.value.size() == (tensors ? 32 : 0));
  FX_CHECK(ticket.num_samples >= 1 && ticket.num_samples <= aggregator::kMaxSamples);
  FX_CHECK(ticket.metrics.size() <= aggregator::kMaxMetrics);
  for (const Metric& metric : ticket.metrics) {
    FX_CHECK(std::isfinite(metric.value) && IsPrintable(metric.name));
  }
}

}  // namespace

void Try(std::string_view input) {
  federation::v1::UploadHeader header;
  {
    const MemoryBound bound(input, 32, MemoryBound::kProtobufAllowance);
    const auto owner = std::make_shared<const std::string>(input);
    if (!Unpack(WrapBytes(AsBytes(*owner), owner), header)) return;
    const auto ticket = JudgeUpload(header, kUploader, kRules, kRound);
    if (ticket) CheckTicket(*ticket);
    if (!ticket) FX_CHECK(IsPrintable(ticket.error().OneLine()));
  }
  federation::v1::UploadHeader again;
  FX_CHECK(Unpack(Pack(header), again).has_value());
  FX_CHECK(again.SerializeAsString() == header.SerializeAsString());
}

}  // namespace fx::fuzz
