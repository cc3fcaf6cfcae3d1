// The Link to a real aggregator: gRPC with mutual TLS over one long-lived connection.
//
// Outside of the site's hours there is no connection: a call that finds itself there waits, and
// goes on where it was when they begin again.
//
// It never gives up on an aggregator that may come back: it says once, and then every minute, that
// it waits and why. It stops with words when waiting cannot help: the certificates do not match, or
// the aggregator refuses the call.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "collaborator/link.h"
#include "collaborator/site_limits.h"
#include "core/base/error.h"
#include "core/base/names.h"
#include "core/base/proxy.h"
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

// What a link has done so far, for whoever watches from another thread.
struct LinkGauges {
  std::atomic<bool> lost = false;  // the last attempt did not reach the aggregator
  std::atomic<std::uint64_t> bytes_received = 0, bytes_sent = 0;  // of models and updates
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
  // Asked before each attempt: other credentials to use from now on, if there are any. May be
  // empty.
  std::function<std::optional<PemBundle>()> renewed = {};
  LinkGauges* gauges = nullptr;             // outlives the link; may be null
  std::optional<Proxy> proxy = {};          // the way to the aggregator, if it is not direct
  std::shared_ptr<SiteLimits> limits = {};  // none: no limits
};

// What `plan` says about the connection.
GrpcLinkOptions LinkOptionsOf(const Plan& plan, const CollaboratorName& name);

// Connects at the first call. `credentials` are read only with tls.
std::unique_ptr<Link> MakeGrpcLink(GrpcLinkOptions options, PemBundle credentials);

}  // namespace fx::collaborator
