// What a test's own set-up says when it cannot fail: the value, or the end of the test program with
// the error shown.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "core/base/error.h"

namespace fx::test {

inline void Must(const Status& status) {
  if (status) return;
  std::fputs(status.error().Render().c_str(), stderr);
  std::abort();
}

template <typename T>
T Must(Result<T> result) {
  if (!result) Must(Status(Fail(result.error())));
  return *std::move(result);
}

}  // namespace fx::test
