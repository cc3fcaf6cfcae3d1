// How a function says that it could not do what it was asked: Result<T>, Status, Error, TRY.
//
// An Error is a code for programs, a sentence for people, the steps that led to it, and optionally
// a hint that says what to do. It prints as
//
//   error: cannot start the aggregator
//     because: plan/plan.yaml:14: task_groups[0].percentage is 1.4, expected 0 to 1
//     hint: percentages of all groups must add up to 1
//
// Errors are for what may happen (a file is missing, a peer lies); FX_CHECK is for bugs. Exceptions
// of libraries are caught at the door of the library and never cross a function of ours.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace fx {

// The sixteen canonical codes of gRPC (grpc/doc/statuscodes.md), so that an error crosses the wire
// as itself. Values are those of the wire.
enum class ErrorCode {
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// The code's name as gRPC spells it, e.g. "INVALID_ARGUMENT".
std::string_view Name(ErrorCode code);

// Copyable value. `message()` is one sentence without a final full stop; it names the place (file,
// line, tensor, peer), what was found, and what would be right.
class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  // Outermost last: each was added by a caller on the way up.
  const std::vector<std::string>& contexts() const { return contexts_; }

  // Adds what the caller was trying to do: "cannot start the aggregator".
  Error&& In(std::string context) &&;
  // Says what the reader can do about it. The innermost hint wins.
  Error&& Hint(std::string hint) &&;

  // One line: "outer: inner: message".
  std::string OneLine() const;
  // The block shown above, ending in a newline.
  std::string Render() const;

 private:
  ErrorCode code_;
  std::string message_;
  std::string hint_;
  std::vector<std::string> contexts_;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

// Success, for functions that return Status.
inline Status Ok() {
  return {};
}

inline tl::unexpected<Error> Fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}
inline tl::unexpected<Error> Fail(ErrorCode code, std::string message) {
  return Fail(Error(code, std::move(message)));
}

// Adds a context to the error of a result, if it has one.
template <typename T>
Result<T> In(Result<T> result, std::string context) {
  if (!result) return Fail(std::move(result).error().In(std::move(context)));
  return result;
}

namespace internal {
template <typename T>
T Unwrap(Result<T>&& result) {
  return *std::move(result);
}
inline void Unwrap(Status&&) {}
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);
}  // namespace internal

}  // namespace fx

// The value of a Result expression; returns its error from the enclosing function if it has none.
//   const Plan plan = TRY(LoadPlan(path));
#define TRY(...)                                                             \
  __extension__({                                                            \
    auto fx_try_result = (__VA_ARGS__);                                      \
    if (!fx_try_result) return ::fx::Fail(std::move(fx_try_result).error()); \
    ::fx::internal::Unwrap(std::move(fx_try_result));                        \
  })

// Stops the process when a condition that only a bug can break is broken. On in every build. Never
// for input from outside.
#define FX_CHECK(condition)                                                        \
  do {                                                                             \
    if (!(condition)) ::fx::internal::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)
