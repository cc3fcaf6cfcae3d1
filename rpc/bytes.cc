#include "rpc/bytes.h"

#include <google/protobuf/stubs/logging.h>
#include <grpcpp/support/slice.h>

#include <limits>
#include <string>
#include <utility>

namespace fx {
namespace {

using Owner = std::shared_ptr<const void>;

void Release(void* owner) {
  delete static_cast<Owner*>(owner);
}

}  // namespace

grpc::ByteBuffer WrapBytes(std::span<const std::byte> bytes, Owner keep_alive) {
  // gRPC asks for mutable memory but only reads what it sends.
  auto* const data = const_cast<std::byte*>(bytes.data());
  auto owner = std::make_unique<Owner>(std::move(keep_alive));
  const grpc::Slice slice(data, bytes.size(), Release, owner.release());
  return {&slice, 1};
}

Result<MessagePieces> MessagePieces::Of(const grpc::ByteBuffer& buffer) {
  MessagePieces message;
  if (!buffer.Valid() || !buffer.Dump(&message.slices_).ok()) {
    return Fail(ErrorCode::kInternal, "a message cannot be read");
  }
  message.pieces_.reserve(message.slices_.size());
  for (const grpc::Slice& slice : message.slices_) {
    message.pieces_.push_back(std::as_bytes(std::span(slice.begin(), slice.size())));
  }
  return message;
}

grpc::ByteBuffer Pack(const google::protobuf::MessageLite& message) {
  const auto text = std::make_shared<std::string>(message.SerializeAsString());
  return WrapBytes(std::as_bytes(std::span(text->data(), text->size())), text);
}

Status Unpack(const grpc::ByteBuffer& buffer, google::protobuf::MessageLite& message) {
  const auto refusal = [&] {
    return Fail(ErrorCode::kInvalidArgument,
                "the bytes received are not a " + message.GetTypeName() + " message");
  };
  grpc::Slice slice;
  if (!buffer.Valid() || !buffer.DumpToSingleSlice(&slice).ok()) return refusal();
  if (slice.size() > std::numeric_limits<int>::max()) return refusal();
  const google::protobuf::LogSilencer errors_are_returned;
  if (!message.ParseFromArray(slice.begin(), static_cast<int>(slice.size()))) return refusal();
  return Ok();
}

}  // namespace fx
