// One streaming call of raw messages, step by step and blocking: gRPC's generic call without its
// completion queue showing.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace fx {

// Use: Write and Read in any order until one returns false or nothing is left to say, then Finish,
// once. Each call returns when gRPC has taken or delivered the message, or the call has ended. A
// stop cancels the call, from whatever thread it comes.
class RawCall {
 public:
  RawCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
          const std::stop_token& stop);
  ~RawCall();
  RawCall(const RawCall&) = delete;
  RawCall& operator=(const RawCall&) = delete;

  // False: the call is over, Finish says why.
  bool Write(const grpc::ByteBuffer& message);
  bool WriteLast(const grpc::ByteBuffer& message);
  bool Read(grpc::ByteBuffer& message);

  // How the call ended. Messages that were not read are dropped.
  grpc::Status Finish();
  // Of the metadata that came with the status, or "". After Finish.
  std::string Trailer(const std::string& key) const;
  // Ends the call; nothing more of it is wanted.
  void Cancel() { context_.TryCancel(); }

 private:
  bool Wait();

  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  std::optional<grpc::Status> finished_;
  std::stop_callback<std::function<void()>> cancel_on_stop_;
};

}  // namespace fx
