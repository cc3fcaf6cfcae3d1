#include "core/base/error.h"

#include <cstdio>
#include <cstdlib>
#include <ranges>

namespace fx {

std::string_view Name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kCancelled:
      return "CANCELLED";
    case ErrorCode::kUnknown:
      return "UNKNOWN";
    case ErrorCode::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case ErrorCode::kDeadlineExceeded:
      return "DEADLINE_EXCEEDED";
    case ErrorCode::kNotFound:
      return "NOT_FOUND";
    case ErrorCode::kAlreadyExists:
      return "ALREADY_EXISTS";
    case ErrorCode::kPermissionDenied:
      return "PERMISSION_DENIED";
    case ErrorCode::kResourceExhausted:
      return "RESOURCE_EXHAUSTED";
    case ErrorCode::kFailedPrecondition:
      return "FAILED_PRECONDITION";
    case ErrorCode::kAborted:
      return "ABORTED";
    case ErrorCode::kOutOfRange:
      return "OUT_OF_RANGE";
    case ErrorCode::kUnimplemented:
      return "UNIMPLEMENTED";
    case ErrorCode::kInternal:
      return "INTERNAL";
    case ErrorCode::kUnavailable:
      return "UNAVAILABLE";
    case ErrorCode::kDataLoss:
      return "DATA_LOSS";
    case ErrorCode::kUnauthenticated:
      return "UNAUTHENTICATED";
  }
  return "UNKNOWN";
}

Error&& Error::In(std::string context) && {
  contexts_.push_back(std::move(context));
  return std::move(*this);
}

Error&& Error::Hint(std::string hint) && {
  if (hint_.empty()) hint_ = std::move(hint);
  return std::move(*this);
}

std::string Error::OneLine() const {
  std::string line;
  for (const std::string& context : std::views::reverse(contexts_)) line += context + ": ";
  return line + message_;
}

std::string Error::Render() const {
  std::string text = "error: ";
  for (const std::string& context : std::views::reverse(contexts_)) {
    text += context + "\n  because: ";
  }
  text += message_ + "\n";
  if (!hint_.empty()) text += "  hint: " + hint_ + "\n";
  return text;
}

namespace internal {

void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: a condition that must hold does not: %s\n", file, line, condition);
  std::abort();
}

}  // namespace internal
}  // namespace fx
