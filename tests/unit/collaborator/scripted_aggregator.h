// An aggregator's wire on loopback that plays a script: what it answers is what a test says.
#pragma once

#include <grpcpp/support/status.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collaborator/grpc_link.h"
#include "rpc/aggregator.pb.h"

namespace fx::test {

// How one call is answered.
struct DownloadAnswer {
  std::string bytes;  // in messages of 1000
  grpc::Status status;
  std::string digest = {};  // the trailer, if not empty
};
struct UploadAnswer {
  std::uint64_t offset = 0;
  std::uint64_t read_bytes = 0;  // after the header, before the status
  grpc::Status status;           // OK: accepted
};
struct TasksAnswer {
  federation::v1::GetTasksResponse response;
  grpc::Status status;
};

// Serves without TLS on a free port until destruction. Calls come one at a time, as a Link makes
// them; one that the script does not foresee is refused for good.
class ScriptedAggregator {
 public:
  ScriptedAggregator();
  ~ScriptedAggregator();

  std::uint16_t port() const;
  // What a link of "site1" to this aggregator is made with.
  collaborator::GrpcLinkOptions LinkOptions() const;

  std::deque<TasksAnswer> tasks;
  std::deque<DownloadAnswer> downloads;
  std::deque<UploadAnswer> uploads;
  std::function<void()> on_call;   // at the start of each GetTasks, if set
  std::vector<std::string> calls;  // "GetTasks", "Goodbye", "Download from 7", "Upload of x"
  std::string uploaded;            // the bytes of the last upload, as they came

 private:
  class Service;
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace fx::test
