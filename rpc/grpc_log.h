// What gRPC says about itself, turned into log lines of ours.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fx {

enum class GrpcRole { kServer, kClient };

// Replaces the logging of gRPC and protobuf for the whole process: failed TLS handshakes become one
// warning a person understands, a limited number a minute, and everything else is dropped. Call
// before any other use of gRPC.
void InstallGrpcLog(GrpcRole role);

// The sentence for a line of gRPC's log, if it tells of a failed handshake.
std::optional<std::string> ExplainGrpcLog(std::string_view line, GrpcRole role);

}  // namespace fx
