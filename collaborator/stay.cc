#include "collaborator/stay.h"

#include <utility>

#include "collaborator/backoff.h"
#include "rpc/aggregator.grpc.pb.h"

namespace fx::collaborator {
namespace {

namespace wire = federation::v1;

bool MayComeBack(grpc::StatusCode code) {
  return code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::CANCELLED ||
         code == grpc::StatusCode::UNKNOWN;
}

void KeepOpen(const std::shared_ptr<grpc::Channel>& channel, const wire::StayRequest& request,
              std::int64_t retry_ms, const std::stop_token& stop) {
  const std::unique_ptr<wire::Aggregator::Stub> stub = wire::Aggregator::NewStub(channel);
  do {
    grpc::ClientContext context;
    const std::stop_callback cancel(stop, [&] { context.TryCancel(); });
    wire::StayResponse response;
    if (!MayComeBack(stub->Stay(&context, request, &response).error_code())) return;
  } while (WaitFor(retry_ms, stop));
}

}  // namespace

Stay::Stay(std::shared_ptr<grpc::Channel> channel, wire::StayRequest request, std::int64_t retry_ms)
    : thread_([channel = std::move(channel), request = std::move(request), retry_ms](
                  const std::stop_token& stop) { KeepOpen(channel, request, retry_ms, stop); }) {}

}  // namespace fx::collaborator
