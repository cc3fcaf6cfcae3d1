// Raw messages: gRPC byte buffers over our bytes, without a protobuf around them.
#pragma once

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/base/error.h"

namespace fx {

// Bulk bytes travel in messages of this many bytes (the last may be shorter). With half of
// it a round took a tenth longer, with twice as much it was no faster.
inline constexpr std::size_t kMessageBytes = 512U << 10;
// What a cut may cost a transfer that is resumed: the message under way, and one that has arrived
// and was not yet read.
inline constexpr std::size_t kChunkBytes = 2 * kMessageBytes;

// Trailing metadata of a Download: the XXH3-128 of the whole model file, hex.
inline constexpr const char* kFastDigestTrailer = "fx-xxh3-128";

// A buffer over memory that stays where it is until gRPC is done with it; `keep_alive` is released
// then. No copy.
grpc::ByteBuffer WrapBytes(std::span<const std::byte> bytes,
                           std::shared_ptr<const void> keep_alive);

// The pieces a message lies in, which share its memory: valid while the result lives.
class MessagePieces {
 public:
  // Refuses a message that cannot be read, which is a fault of gRPC.
  static Result<MessagePieces> Of(const grpc::ByteBuffer& buffer);
  std::span<const std::span<const std::byte>> get() const { return pieces_; }

 private:
  std::vector<grpc::Slice> slices_;
  std::vector<std::span<const std::byte>> pieces_;
};

grpc::ByteBuffer Pack(const google::protobuf::MessageLite& message);
// Refuses, with kInvalidArgument, what does not parse.
Status Unpack(const grpc::ByteBuffer& buffer, google::protobuf::MessageLite& message);

}  // namespace fx
