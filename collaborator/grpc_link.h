// The Link to a real aggregator: gRPC with mutual TLS over one long-lived connection.
//
// It never gives up on an aggregator that may come back: it says once, and then every minute, that
// it waits and why. It stops with words when waiting cannot help: the certificates do not match, or
// the aggregator refuses the call.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "collaborator/link.h"
#include "core/base/error.h"
#include "core/base/names.h"
#include "pki/cert_store.h"
#include "plan/plan.h"
#include "rpc/heartbeat.h"

namespace fx::collaborator {

// How long to wait for what. Others than these are for tests.
struct LinkTimes {
  Heartbeat heartbeat = {};
  std::int64_t long_poll_ms = 30'000;  // the aggregator holds a question open so long; a proxy in
                                       // between might not do it for longer
  std::int64_t probe_ms = 2'000;       // to find out why it cannot be reached
  std::int64_t goodbye_ms = 5'000;
};

struct GrpcLinkOptions {
  CollaboratorName name;
  std::string address;  // of the aggregator, a name its certificate carries
  std::uint16_t port = 0;
  bool tls = true;
  std::int64_t reconnect_interval_ms = 5000;  // the longest wait between attempts
  std::string aggregator_uuid;
  std::string federation_uuid;
  std::string plan_digest;
  std::uint64_t model_size = 0;  // of the plan's model file; no other is fetched. 0: any
  LinkTimes times = {};
  std::stop_token stop;  // ends every call with kCancelled
};

// What `plan` says about the connection.
GrpcLinkOptions LinkOptionsOf(const Plan& plan, const CollaboratorName& name);

// Connects at the first call. `credentials` are read only with tls.
std::unique_ptr<Link> MakeGrpcLink(GrpcLinkOptions options, PemBundle credentials);

}  // namespace fx::collaborator
