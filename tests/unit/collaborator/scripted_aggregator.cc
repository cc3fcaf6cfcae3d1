#include "tests/unit/collaborator/scripted_aggregator.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <utility>

#include "rpc/aggregator.grpc.pb.h"
#include "rpc/bytes.h"
#include "rpc/convert.h"

namespace fx::test {
namespace {

using Bytes = grpc::ByteBuffer;
using Wire = wire::Aggregator;
using ServiceBase = Wire::WithCallbackMethod_GetTasks<
    Wire::WithRawCallbackMethod_Download<Wire::WithRawCallbackMethod_Upload<Wire::Service>>>;

template <typename Answer>
Answer Pop(std::deque<Answer>& script) {
  Answer answer;
  answer.status = {grpc::StatusCode::PERMISSION_DENIED, "the script does not foresee this call"};
  if (script.empty()) return answer;
  answer = std::move(script.front());
  script.pop_front();
  return answer;
}

Bytes Message(const std::string& text) {
  const grpc::Slice slice(text);
  return {&slice, 1};
}

std::string Text(const Bytes& buffer) {
  grpc::Slice slice;
  if (!buffer.DumpToSingleSlice(&slice).ok()) return "";
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

class Download final : public grpc::ServerWriteReactor<Bytes> {
 public:
  Download(grpc::CallbackServerContext& context, DownloadAnswer answer)
      : answer_(std::move(answer)) {
    if (!answer_.digest.empty()) context.AddTrailingMetadata(kFastDigestTrailer, answer_.digest);
    OnWriteDone(true);
  }
  void OnWriteDone(bool) override {
    if (answer_.bytes.empty()) return Finish(answer_.status);
    message_ = Message(answer_.bytes.substr(0, 1000));
    answer_.bytes.erase(0, 1000);
    StartWrite(&message_);
  }
  void OnDone() override { delete this; }

 private:
  DownloadAnswer answer_;
  Bytes message_;
};

class Upload final : public grpc::ServerBidiReactor<Bytes, Bytes> {
 public:
  Upload(ScriptedAggregator& script, UploadAnswer answer)
      : script_(script), answer_(std::move(answer)) {
    StartRead(&in_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish({grpc::StatusCode::CANCELLED, "the upload ended early"});
    if (!judged_) return Judge();
    script_.uploaded += Text(in_);
    Continue();
  }
  void OnWriteDone(bool ok) override {
    if (ok) Continue();
  }
  void OnDone() override { delete this; }

 private:
  void Judge() {
    wire::UploadHeader header;
    if (!Unpack(in_, header)) return Finish({grpc::StatusCode::INVALID_ARGUMENT, "no header"});
    judged_ = true;
    script_.calls.push_back("Upload of " + header.task());
    script_.uploaded.clear();
    wire::UploadReply reply;
    reply.set_offset(answer_.offset);
    out_ = Pack(reply);
    StartWrite(&out_);
  }
  void Continue() {
    if (script_.uploaded.size() < answer_.read_bytes) return StartRead(&in_);
    if (!answer_.status.ok()) return Finish(answer_.status);
    wire::UploadReply reply;
    reply.set_accepted(true);
    out_ = Pack(reply);
    StartWriteAndFinish(&out_, grpc::WriteOptions(), grpc::Status::OK);
  }

  ScriptedAggregator& script_;
  UploadAnswer answer_;
  bool judged_ = false;
  Bytes in_, out_;
};

}  // namespace

class ScriptedAggregator::Service final : public ServiceBase {
 public:
  explicit Service(ScriptedAggregator& script) : script_(script) {}

  grpc::ServerUnaryReactor* GetTasks(grpc::CallbackServerContext* context,
                                     const wire::GetTasksRequest* request,
                                     wire::GetTasksResponse* response) override {
    script_.calls.emplace_back(request->leaving() ? "Goodbye" : "GetTasks");
    if (script_.on_call) script_.on_call();
    const TasksAnswer answer = Pop(script_.tasks);
    *response = answer.response;
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(answer.status);
    return reactor;
  }
  grpc::ServerWriteReactor<Bytes>* Download(grpc::CallbackServerContext* context,
                                            const Bytes* buffer) override {
    wire::DownloadRequest request;
    static_cast<void>(Unpack(*buffer, request));
    script_.calls.push_back("Download from " + std::to_string(request.offset()));
    return new test::Download(*context, Pop(script_.downloads));
  }
  grpc::ServerBidiReactor<Bytes, Bytes>* Upload(grpc::CallbackServerContext*) override {
    return new test::Upload(script_, Pop(script_.uploads));
  }

 private:
  ScriptedAggregator& script_;
};

struct ScriptedAggregator::Running {
  explicit Running(ScriptedAggregator& script) : service(script) {}
  Service service;
  int port = 0;
  std::unique_ptr<grpc::Server> server;
};

ScriptedAggregator::ScriptedAggregator() : running_(std::make_unique<Running>(*this)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &running_->port);
  builder.RegisterService(&running_->service);
  running_->server = builder.BuildAndStart();
}

ScriptedAggregator::~ScriptedAggregator() {
  running_->server->Shutdown();
}

collaborator::GrpcLinkOptions ScriptedAggregator::LinkOptions() const {
  return {.name = CollaboratorName{"site1"},
          .address = "127.0.0.1",
          .port = port(),
          .tls = false,
          .reconnect_interval_ms = 1,
          .aggregator_uuid = "aggregator_plan.yaml_12345678",
          .federation_uuid = "plan.yaml_12345678",
          .plan_digest = "12345678",
          .times = {},
          .stop = {}};
}

std::uint16_t ScriptedAggregator::port() const {
  return static_cast<std::uint16_t>(running_->port);
}

}  // namespace fx::test
