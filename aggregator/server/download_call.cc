// Download, ranges of immutable files.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "aggregator/server/calls.h"
#include "core/base/format.h"
#include "core/base/log.h"
#include "rpc/bytes.h"
#include "rpc/status.h"

namespace fx::aggregator {
namespace {

constexpr std::size_t kModelIdDigits = 64;

bool IsModelId(const std::string& text) {
  return text.size() == kModelIdDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// The sender cannot help it if the disk here fails; only a model that is gone is its affair.
Result<std::shared_ptr<const ModelFile>> OpenModel(const ModelStore& models, const ModelId& id) {
  auto model = models.ShareModel(id);
  if (model || model.error().code() == ErrorCode::kNotFound) return model;
  LogError("a model cannot be read", {{"reason", model.error().OneLine()}});
  return Fail(ErrorCode::kUnavailable, "the aggregator cannot read the model now");
}

class DownloadCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  void Start(const CallEnv& env, grpc::CallbackServerContext& context,
             const grpc::ByteBuffer& request) {
    if (const Status opened = Open(env, context, request); !opened) {
      return Finish(Refuse("Download", context, opened.error()));
    }
    WriteNext();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    WriteNext();
  }
  void OnDone() override { delete this; }

 private:
  Status Open(const CallEnv& env, grpc::CallbackServerContext& context,
              const grpc::ByteBuffer& buffer) {
    wire::DownloadRequest request;
    TRY(Unpack(buffer, request));
    caller_.emplace(TRY(Authenticate(env, context, request.header())));
    if (!IsModelId(request.model_id())) {
      return Fail(ErrorCode::kInvalidArgument, Quoted(request.model_id()) + " is not a model id");
    }
    const ModelId id{request.model_id()};
    model_ = TRY(OpenModel(env.models, id));
    if (request.offset() > model_->file_bytes().size()) {
      return Fail(ErrorCode::kOutOfRange, format("the model has {} bytes, none at {}",
                                                 model_->file_bytes().size(), request.offset()));
    }
    context.AddTrailingMetadata(kFastDigestTrailer, TRY(env.models.FastDigestOf(id)));
    left_ = model_->file_bytes().subspan(static_cast<std::size_t>(request.offset()));
    return Ok();
  }

  void WriteNext() {
    if (const Status welcome = caller_->StillWelcome(); !welcome) {
      return Finish(ToGrpc(welcome.error()));
    }
    if (left_.empty()) return Finish(grpc::Status::OK);
    const auto chunk = left_.first(std::min(kMessageBytes, left_.size()));
    left_ = left_.subspan(chunk.size());
    buffer_ = WrapBytes(chunk, model_);
    StartWrite(&buffer_);
  }

  std::optional<Caller> caller_;            // once it is let in
  std::shared_ptr<const ModelFile> model_;  // shared with the buffers gRPC still holds
  std::span<const std::byte> left_;
  grpc::ByteBuffer buffer_;
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartDownload(CallEnv& env,
                                                          grpc::CallbackServerContext& context,
                                                          const grpc::ByteBuffer& request) {
  auto* const call = new DownloadCall;  // deletes itself in OnDone
  call->Start(env, context, request);
  return call;
}

}  // namespace fx::aggregator
