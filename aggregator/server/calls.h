// The calls of the protocol, each an object that lives from its first byte to its end.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <string_view>

#include "aggregator/server/call_env.h"
#include "rpc/aggregator.pb.h"

namespace fx::aggregator {

// GetTasks: parked until the engine has an answer; dropped when the caller goes.
grpc::ServerUnaryReactor* StartTasksCall(CallEnv& env, grpc::CallbackServerContext& context,
                                         const wire::GetTasksRequest& request,
                                         wire::GetTasksResponse& response);

// Download: the mapped model file in chunks, without copies; the engine is not involved.
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartDownload(CallEnv& env,
                                                          grpc::CallbackServerContext& context,
                                                          const grpc::ByteBuffer& request);

// Upload: judged by its header, then one chunk at a time to the update's partial file in the spool;
// answered when the engine has journaled it. An upload that ends early goes on where it ended with
// the next call for the same update; one with wrong bytes leaves no trace.
grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StartUpload(
    CallEnv& env, grpc::CallbackServerContext& context);

// Stay: its caller is present until it ends.
grpc::ServerUnaryReactor* StartStay(CallEnv& env, grpc::CallbackServerContext& context,
                                    const wire::StayRequest& request);

// The caller, if it may call, which is then heard of. See Gate::Admit.
Result<Caller> Authenticate(const CallEnv& env, grpc::CallbackServerContext& context,
                            const wire::Header& header);

// The status that refuses a call, which is also logged.
grpc::Status Refuse(std::string_view call, const grpc::CallbackServerContext& context,
                    const Error& error);

}  // namespace fx::aggregator
