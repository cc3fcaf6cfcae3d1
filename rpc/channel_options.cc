#include "rpc/channel_options.h"

#include <grpcpp/resource_quota.h>

#include <functional>

namespace fx {
namespace {

// What gRPC's own reader of https_proxy sets, and its handshaker for CONNECT reads; their header,
// http_connect_handshaker.h, is not installed.
constexpr const char* kConnectServer = "grpc.http_connect_server";
constexpr const char* kConnectHeaders = "grpc.http_connect_headers";

constexpr int kMaxFrame = 16'777'215;  // HTTP/2's own limit

void SetShared(const std::function<void(const char*, int)>& set, const Heartbeat& heartbeat) {
  set(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  set(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kMaxFrame);
  set(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, kMaxMessageBytes);
  set(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, kMaxMessageBytes);
  set(GRPC_ARG_KEEPALIVE_TIME_MS, heartbeat.every_ms);
  set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, heartbeat.timeout_ms);
  set(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  set(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // without limit: a long poll is silent
}

}  // namespace

void TuneServer(grpc::ServerBuilder& builder, const Heartbeat& heartbeat) {
  const auto set = [&](const char* name, int value) { builder.AddChannelArgument(name, value); };
  SetShared(set, heartbeat);
  builder.SetResourceQuota(grpc::ResourceQuota("fx").Resize(kServerBufferBytes));
  set(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxCallsAConnection);
  set(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, heartbeat.every_ms / 2);
  set(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  // Nobody of ours compresses messages, and a megabyte of a stranger's could become a gigabyte:
  // gRPC inflates a message before it looks at the size.
  for (const auto algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
    builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
  }
}

grpc::ChannelArguments TunedChannelArguments(const Heartbeat& heartbeat) {
  grpc::ChannelArguments arguments;
  SetShared([&](const char* name, int value) { arguments.SetInt(name, value); }, heartbeat);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, heartbeat.every_ms);  // and to connect
  // Channels of one process never share a connection: each may have a certificate of its own.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

void ThroughProxy(const Proxy& proxy, const std::string& place, grpc::ChannelArguments& arguments) {
  arguments.SetString(kConnectServer, place);
  if (!proxy.user.empty()) {
    arguments.SetString(kConnectHeaders, "Proxy-Authorization:" + BasicAuthorization(proxy));
  }
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, place);
}

}  // namespace fx
