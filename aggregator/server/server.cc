#include "aggregator/server/server.h"

#include <arpa/inet.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "aggregator/server/calls.h"
#include "core/base/format.h"
#include "rpc/aggregator.grpc.pb.h"
#include "rpc/channel_options.h"
#include "rpc/credentials.h"

namespace fx::aggregator {
namespace {

constexpr auto kGrace = std::chrono::seconds(1);

using Wire = wire::Aggregator;
using ServiceBase = Wire::WithCallbackMethod_GetTasks<
    Wire::WithRawCallbackMethod_Download<Wire::WithRawCallbackMethod_Upload<Wire::Service>>>;

class Service final : public ServiceBase {
 public:
  explicit Service(CallEnv& env) : env_(env) {}

  grpc::ServerUnaryReactor* GetTasks(grpc::CallbackServerContext* context,
                                     const wire::GetTasksRequest* request,
                                     wire::GetTasksResponse* response) override {
    return StartTasksCall(env_, *context, *request, *response);
  }
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Download(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request) override {
    return StartDownload(env_, *context, *request);
  }
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Upload(
      grpc::CallbackServerContext* context) override {
    return StartUpload(env_, *context);
  }

 private:
  CallEnv& env_;
};

// Why the port cannot be had: gRPC does not say, so a plain socket asks again.
int BindError(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return errno;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  const int error =
      bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  close(fd);
  return error;
}

Error CannotListen(const ServerOptions& options) {
  const int error = BindError(options.port);
  if (error == EADDRINUSE) {
    return Error(ErrorCode::kUnavailable,
                 format("port {} is taken by another program on this machine", options.port))
        .Hint(
            "stop that program (perhaps an aggregator started before), or set another "
            "network.settings.agg_port in plan/plan.yaml and export the workspace again");
  }
  if (error == EACCES) {
    return Error(ErrorCode::kPermissionDenied,
                 format("port {} may not be used by this user", options.port))
        .Hint("set network.settings.agg_port in plan/plan.yaml to a port from 1024 on");
  }
  return Error(ErrorCode::kUnavailable,
               format("cannot listen on {}:{}{}{}", options.address, options.port,
                      error == 0 ? "" : ": ", error == 0 ? "" : std::strerror(error)));
}

}  // namespace

class Server::Impl {
 public:
  explicit Impl(CallEnv& env) : service(env) {}
  Service service;
  int port = 0;
  std::unique_ptr<grpc::Server> server;
};

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                              const PemBundle& credentials, CallEnv& env) {
  auto impl = std::make_unique<Impl>(env);
  grpc::ServerBuilder builder;
  TuneServer(builder, options.heartbeat);
  builder.AddListeningPort(format("{}:{}", options.address, options.port),
                           options.tls
                               ? MakeServerCredentials(credentials, options.require_client_auth)
                               : grpc::InsecureServerCredentials(),
                           &impl->port);
  builder.RegisterService(&impl->service);
  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr || impl->port == 0) return Fail(CannotListen(options));
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() {
  Shutdown();
}

std::uint16_t Server::port() const {
  return static_cast<std::uint16_t>(impl_->port);
}

void Server::Shutdown() {
  impl_->server->Shutdown(std::chrono::system_clock::now() + kGrace);
}

}  // namespace fx::aggregator
