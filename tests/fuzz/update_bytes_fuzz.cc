// The bytes of an update as they stream in: however they are cut, the verdict is the same, and it
// is that of a reader of the whole file.
#include <cstring>

#include "aggregator/server/update_scan.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/upload_rules.h"

namespace fx::fuzz {
namespace {

using aggregator::UpdateScan;

const aggregator::UploadRules kRules = FuzzedRules();

Status Finish(const UpdateScan& scan, Status fed) {
  if (fed && !scan.complete()) return Fail(ErrorCode::kInvalidArgument, "bytes are missing");
  return fed;
}

Status ScanWhole(std::string_view bytes) {
  UpdateScan scan(kRules);
  return Finish(scan, scan.Feed(AsBytes(bytes)));
}

Status ScanInPieces(std::string_view bytes, RandomStream draws) {
  UpdateScan scan(kRules);
  Status fed = Ok();
  std::uint64_t position = 0;
  InPieces(bytes, draws, [&](std::string_view piece) {
    if (!fed) return;
    fed = scan.Feed(AsBytes(piece));
    position += piece.size();
    if (fed) FX_CHECK(scan.position() == position);
  });
  return Finish(scan, std::move(fed));
}

// The verdict of the other reader of such files.
bool IsUpdate(std::string_view bytes) {
  static InputFile file("update.fxm");
  const auto model = ModelFile::Open(file.Holding(bytes));
  if (!model || !CheckLayout(model->layout(), kRules.layout)) return false;
  for (std::size_t i = 0; i < model->layout().size(); ++i) {
    if (FindNonFinite(model->floats(i)) >= 0) return false;
  }
  return true;
}

}  // namespace

// Eight bytes say how the rest is cut.
void Try(std::string_view input) {
  std::uint64_t seed = 0;
  if (input.size() < sizeof seed) return;
  std::memcpy(&seed, input.data(), sizeof seed);
  const std::string_view bytes = input.substr(sizeof seed);
  Status whole = Ok();
  {
    const MemoryBound bound(input, 1);
    whole = ScanWhole(bytes);
    const Status pieces = ScanInPieces(bytes, RandomStream(seed, "pieces"));
    FX_CHECK(whole.has_value() == pieces.has_value());
    // Too many bytes are noticed with the piece that brings them, after what is wrong before.
    if (!whole && bytes.size() <= kRules.map.size) {
      FX_CHECK(whole.error().message() == pieces.error().message());
    }
  }
  FX_CHECK(whole.has_value() == IsUpdate(bytes));
}

}  // namespace fx::fuzz
