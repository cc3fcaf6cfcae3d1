// Payloads of the journal: what is read is written back to the same text, for good.
#include <array>

#include "aggregator/store/record_json.h"
#include "tests/fuzz/fuzz.h"

namespace fx::fuzz {
namespace {

constexpr std::array<std::string_view, 7> kTypes = {
    "RoundOpened",     "DeadlineSet",    "ResultAccepted",    "RoundClosed",
    "BestModelChosen", "ModelCommitted", "FederationFinished"};

}  // namespace

// The first byte chooses the record's type.
void Try(std::string_view input) {
  if (input.empty()) return;
  const std::string_view type =
      kTypes.at(static_cast<unsigned char>(input.front()) % kTypes.size());
  std::string text;
  {
    const MemoryBound bound(input, 256);
    const auto record = aggregator::FromJson(type, input.substr(1));
    if (!record) return;
    FX_CHECK(aggregator::TypeOf(*record) == type);
    text = aggregator::ToJson(*record);
  }
  const auto again = aggregator::FromJson(type, text);
  FX_CHECK(again.has_value() && aggregator::ToJson(*again) == text);
}

}  // namespace fx::fuzz
