#include "rpc/status.h"

#include <algorithm>
#include <string>
#include <utility>

namespace fx {
namespace {

// Both travel in the trailers, for which gRPC allows 8 KiB in all.
constexpr std::size_t kMaxMessage = 3000;
constexpr std::size_t kMaxHint = 1000;

std::string Bounded(const std::string& text, std::size_t limit) {
  return text.size() <= limit ? text : text.substr(0, limit) + "...";
}

// Words of a peer are shown on a terminal: nothing in them may move its cursor or start a line.
std::string Printable(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text;
}

}  // namespace

grpc::Status ToGrpc(const Error& error) {
  return {static_cast<grpc::StatusCode>(error.code()), Bounded(error.message(), kMaxMessage),
          Bounded(error.hint(), kMaxHint)};
}

Error FromGrpc(const grpc::Status& status) {
  FX_CHECK(!status.ok());
  const int code = status.error_code();
  Error error(code > 0 && code <= 16 ? static_cast<ErrorCode>(code) : ErrorCode::kUnknown,
              Printable(Bounded(status.error_message(), kMaxMessage)));
  if (status.error_details().empty()) return error;
  return std::move(error).Hint(Printable(Bounded(status.error_details(), kMaxHint)));
}

}  // namespace fx
