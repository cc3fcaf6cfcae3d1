// Errors across the wire: one table, both ways. The message and the hint travel; contexts stay
// home.
#pragma once

#include <grpcpp/support/status.h>

#include "core/base/error.h"

namespace fx {

grpc::Status ToGrpc(const Error& error);
Error FromGrpc(const grpc::Status& status);  // checked: not OK

}  // namespace fx
