#include "aggregator/server/server.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <optional>
#include <utility>

#include "aggregator/server/calls.h"
#include "aggregator/server/listener.h"
#include "rpc/aggregator.grpc.pb.h"
#include "rpc/channel_options.h"
#include "rpc/credentials.h"

namespace fx::aggregator {
namespace {

constexpr auto kGrace = std::chrono::seconds(1);

using Wire = wire::Aggregator;
using Connection = grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters;
using ServiceBase = Wire::WithCallbackMethod_GetTasks<Wire::WithCallbackMethod_Stay<
    Wire::WithRawCallbackMethod_Download<Wire::WithRawCallbackMethod_Upload<Wire::Service>>>>;

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
  grpc::ServerUnaryReactor* Stay(grpc::CallbackServerContext* context,
                                 const wire::StayRequest* request, wire::StayResponse*) override {
    return StartStay(env_, *context, *request);
  }

 private:
  CallEnv& env_;
};

}  // namespace

class Server::Impl {
 public:
  Impl(CallEnv& env, std::unique_ptr<Listener> from) : service(env), listener(std::move(from)) {}
  Service service;
  std::optional<ServerIdentity> identity;  // with TLS
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<Listener> listener;  // ends first: it hands connections to the server
};

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                              const PemBundle& credentials, CallEnv& env) {
  auto impl = std::make_unique<Impl>(env, TRY(Listener::Open(options.address, options.port)));
  if (options.tls) impl->identity.emplace(credentials, options.require_client_auth);
  grpc::ServerBuilder builder;
  TuneServer(builder, options.heartbeat);
  const std::shared_ptr acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      options.tls ? impl->identity->Credentials() : grpc::InsecureServerCredentials());
  builder.RegisterService(&impl->service);
  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr) return Fail(ErrorCode::kInternal, "gRPC cannot start its server");
  impl->listener->Start([acceptor](int fd) {
    Connection connection;
    connection.fd = fd;
    acceptor->HandleNewConnection(&connection);
  });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() {
  Shutdown();
}

std::uint16_t Server::port() const {
  return impl_->listener->port();
}

void Server::Renew(const PemBundle& credentials) {
  FX_CHECK(impl_->identity.has_value());
  impl_->identity->Replace(credentials);
}

void Server::Shutdown() {
  impl_->listener->Stop();
  impl_->server->Shutdown(std::chrono::system_clock::now() + kGrace);
}

}  // namespace fx::aggregator
