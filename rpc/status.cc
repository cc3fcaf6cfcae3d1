#include "rpc/status.h"

#include <string>

namespace fx {
namespace {

// Both travel in the trailers, for which gRPC allows 8 KiB in all.
constexpr std::size_t kMaxMessage = 3000;
constexpr std::size_t kMaxHint = 1000;

std::string Bounded(const std::string& text, std::size_t limit) {
  return text.size() <= limit ? text : text.substr(0, limit) + "...";
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
              Bounded(status.error_message(), kMaxMessage));
  if (status.error_details().empty()) return error;
  return std::move(error).Hint(Bounded(status.error_details(), kMaxHint));
}

}  // namespace fx
