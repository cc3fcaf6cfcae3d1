#include "rpc/raw_call.h"

#include "core/base/error.h"

namespace fx {

RawCall::RawCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                 const std::stop_token& stop)
    : cancel_on_stop_(stop, [this] { context_.TryCancel(); }) {
  stream_ = grpc::GenericStub(channel).PrepareCall(&context_, method, &queue_);
  stream_->StartCall(nullptr);
  Wait();
}

RawCall::~RawCall() {
  if (!finished_) {
    context_.TryCancel();
    Finish();
  }
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

bool RawCall::Write(const grpc::ByteBuffer& message) {
  stream_->Write(message, nullptr);
  return Wait();
}

bool RawCall::WriteLast(const grpc::ByteBuffer& message) {
  stream_->WriteLast(message, grpc::WriteOptions(), nullptr);
  return Wait();
}

bool RawCall::Read(grpc::ByteBuffer& message) {
  stream_->Read(&message, nullptr);
  return Wait();
}

grpc::Status RawCall::Finish() {
  if (finished_) return *finished_;
  // gRPC holds the status back until every message was taken.
  for (grpc::ByteBuffer dropped; Read(dropped);) {
  }
  grpc::Status status;
  stream_->Finish(&status, nullptr);
  Wait();
  finished_ = status;
  return status;
}

std::string RawCall::Trailer(const std::string& key) const {
  const auto& trailers = context_.GetServerTrailingMetadata();
  const auto found = trailers.find(key);
  if (found == trailers.end()) return {};
  return {found->second.data(), found->second.size()};
}

// One operation is under way at a time, so whatever comes out of the queue is it.
bool RawCall::Wait() {
  void* tag = nullptr;
  bool ok = false;
  FX_CHECK(queue_.Next(&tag, &ok));
  return ok;
}

}  // namespace fx
