// A whole federation on this machine for tests: a plan, a PKI, a workspace, an aggregator behind
// real gRPC, and collaborators that invent their results.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "aggregator/runtime.h"
#include "collaborator/grpc_link.h"
#include "core/base/file.h"
#include "plan/plan.h"
#include "rpc/convert.h"
#include "tests/support/test_pki.h"

namespace fx::test {

std::shared_ptr<grpc::Channel> Connect(const PemBundle& credentials, std::uint16_t port);

// The plan of the tests: one dense layer of 4 inputs and `outputs` outputs, OpenFL's three tasks
// for everyone. Its initial model lies in the workspace.
struct TestFederation {
  explicit TestFederation(std::vector<std::string> members = {"ann", "bob"},
                          std::int64_t outputs = 3);

  aggregator::RuntimeOptions Options(std::uint16_t port = 0) const;
  collaborator::GrpcLinkOptions LinkOptions(const std::string& name, std::uint16_t port) const;
  // A channel with the certificate of `certificate`.
  std::shared_ptr<grpc::Channel> Connect(const std::string& certificate, std::uint16_t port) const {
    return fx::test::Connect(pki.CollaboratorBundle(certificate), port);
  }
  Path LastModel() const { return workspace.path() / plan.aggregator.last_state_path; }

  Plan plan;
  TestPki pki;
  TempDir workspace;
};

// An aggregator whose Run is on a thread of its own, until destruction.
class RunningAggregator {
 public:
  explicit RunningAggregator(aggregator::RuntimeOptions options);
  ~RunningAggregator();
  RunningAggregator(const RunningAggregator&) = delete;
  RunningAggregator& operator=(const RunningAggregator&) = delete;

  std::uint16_t port() const { return runtime_->port(); }
  aggregator::Runtime& runtime() { return *runtime_; }
  // Waits for Run to return by itself.
  Result<aggregator::Outcome> Wait();

 private:
  std::unique_ptr<aggregator::Runtime> runtime_;
  Result<aggregator::Outcome> outcome_ = aggregator::Outcome::kStopped;
  std::jthread thread_;
};

// The result a collaborator invents for a task: a function of its name, the round, the task and the
// model, so that it is the same however often it is made. `file` is written to if the task trains.
TaskResult InventResult(const CollaboratorName& who, const TaskAssignment& assignment,
                        const TaskName& task, const Path& model, const Path& file);

// A collaborator and who watches it. The functions may be empty; they hear "ask", "download" and
// "send TASK", and last "goodbye".
struct Site {
  std::string name;
  std::uint16_t port = 0;  // of the aggregator, or of what stands in front of it
  collaborator::LinkTimes times;
  std::function<void(const std::string& step)> before;
  std::function<void(const std::string& step)> after;  // it succeeded
  // What is special about its way to the aggregator, and about its certificate; both may be empty.
  std::function<void(collaborator::GrpcLinkOptions& options)> adjust = {};
  std::function<PemBundle()> credentials = {};
};

// Asks, downloads, invents and sends until told to quit.
Status Collaborate(const TestFederation& federation, const Site& site);
// The same; `sent` is called after each acknowledgement.
Status Collaborate(const TestFederation& federation, const std::string& name, std::uint16_t port,
                   const std::function<void()>& sent);

// An upload made by hand. `chunks` are sent as they are, whatever the header says.
struct HandMadeUpload {
  wire::UploadHeader header;
  std::vector<std::string> chunks;
};
// A good one: `name`'s training result for round 0.
HandMadeUpload GoodUpload(const TestFederation& federation, const std::string& name);
// The same header around other bytes, with their digest and size.
HandMadeUpload WithBytes(HandMadeUpload upload, const std::string& bytes);
grpc::Status Send(const std::shared_ptr<grpc::Channel>& channel, const HandMadeUpload& upload);
grpc::Status SendRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                     const std::vector<std::string>& messages);

// Asks for tasks once, as `header` says.
grpc::Status Ask(const std::shared_ptr<grpc::Channel>& channel, const wire::Header& header);
wire::Header HeaderOf(const TestFederation& federation, const std::string& sender);

}  // namespace fx::test
