// Tells the aggregator that this site is there, while it trains and says nothing else.
#pragma once

#include <grpcpp/channel.h>

#include <cstdint>
#include <memory>
#include <stop_token>
#include <thread>

#include "rpc/aggregator.pb.h"

namespace fx::collaborator {

// Keeps one call open on `channel`, on a thread of its own, until destruction. One that breaks is
// made again after `retry_ms`; one that the aggregator refuses, or does not know, is not: nothing
// depends on it, and whatever is wrong the calls for tasks and results find out.
class Stay {
 public:
  Stay(std::shared_ptr<grpc::Channel> channel, federation::v1::StayRequest request,
       std::int64_t retry_ms);

 private:
  std::jthread thread_;
};

}  // namespace fx::collaborator
