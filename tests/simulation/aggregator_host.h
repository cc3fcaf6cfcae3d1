// The aggregator: the real shell and engine on a fake machine. What the runtime and the server do
// around the shell is done here in the same order, with fake files and fake calls.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "aggregator/shell.h"
#include "tests/simulation/wire.h"
#include "tests/simulation/witness.h"

namespace fx::sim {

class AggregatorHost final : public Server, private aggregator::ShellPorts {
 public:
  AggregatorHost(World& world, const Faults& faults, const Plan& plan, Wire& wire)
      : Server(world, faults, "aggregator"), plan_(plan), wire_(wire), witness_(plan, disk_) {}

  void OnUp(const CallPtr& call, const Up& message) override;
  void OnCancel(const CallPtr& call) override;

  // cols.yaml is this list now, whether or not the process is up to hear of it.
  void SetMembers(std::vector<CollaboratorName> members);

  Witness& witness() { return witness_; }
  // It has left because the federation is over.
  bool left() const { return left_; }
  // Of a federation that is over: the models people take away are there, and little else.
  void CheckEnd() const;

 private:
  // What the machine remembers of the journal: lines as SQLite keeps them.
  struct Line {
    TimeMs at;
    std::string type, payload;
  };
  // A model people take away, and whether it is still to be written.
  struct Saved {
    std::string name;
    std::optional<ModelId> pending;
  };
  struct Upload {
    CallPtr call;
    TaskResult ticket;
    std::string part;  // the file that takes the bytes, once it has begun
    bool resumed = false;
    bool committing = false;
  };
  // Of one collaborator: the upload that has the partial file, and the one that waits for it.
  struct Uploads {
    std::optional<Upload> active, waiting;
  };
  // In the memory of one process.
  struct Process {
    Process(const Plan& plan, aggregator::ShellPorts& ports);
    aggregator::Waiters waiters;
    aggregator::RoundBoard board;
    aggregator::Shell shell;
    bool started = false;
    std::deque<aggregator::EventBody> events;
    bool pumping = false;
    std::uint64_t naps = 0;
    std::uint64_t temps = 0;  // names given to models that are being made
    std::deque<std::function<void()>> io_jobs;
    std::map<std::uint64_t, RequestId> asks;
    std::map<CollaboratorName, Uploads> uploads;
    std::map<CollaboratorName, std::string> partials;
    Saved best{.name = "saved/best", .pending = {}};
    Saved last{.name = "saved/last", .pending = {}};
  };

  void Boot() override;
  void Gone(Death how) override;
  void StartShell();

  // The engine's thread.
  void Post(aggregator::EventBody event);
  void Pump();
  void Turn(std::vector<aggregator::EventBody> events);
  void Nap();
  void Leave();
  void Io(std::function<void()> job);
  void NextIo();

  // Calls.
  void On(const CallPtr& call, const Ask& ask);
  void On(const CallPtr& call, const Fetch& fetch);
  void On(const CallPtr& call, const TaskResult& result);
  void On(const CallPtr& call, const Bytes& bytes);
  void Answer(const CallPtr& call, const aggregator::Reply& reply,
              const std::optional<TaskResult>& result);
  std::optional<Error> Judge(const CollaboratorName& who, const TaskResult& result) const;
  void Begin(Upload upload);
  void CommitIfComplete(const CollaboratorName& who);
  void Commit(const CollaboratorName& who);
  void EndUpload(const CollaboratorName& who, std::optional<Error> error);
  void Stage(const CallPtr& call, const TaskResult& result);

  // ShellPorts.
  TimeMs Now() override { return TimeMs{1'700'000'000'000 + skew_ + world_.now()}; }
  std::int64_t SteadyMs() override { return world_.now(); }
  Result<std::vector<aggregator::Journal::Entry>> LoadJournal() override;
  Status AppendToJournal(TimeMs at, std::span<const aggregator::Record> records) override;
  void Fold(const aggregator::AggregateRound& job) override;
  void SaveBest(const aggregator::SaveBestModel& save, double score) override;
  void SaveLast(const aggregator::SaveLastModel& save) override;
  void RemoveOld(const aggregator::Prune& prune) override;
  void WriteMetrics(const std::vector<std::string>&) override {}

  void RunFold(const aggregator::AggregateRound& job);
  void AddModel(const std::string& temp, const std::string& bytes);
  Status Write(Saved& saved);
  void Sweep(const aggregator::Prune& prune);

  Plan plan_;  // cols.yaml may change
  Wire& wire_;
  Witness witness_;
  std::vector<Line> journal_;
  std::int64_t skew_ = 0;  // of the clock that people set
  bool left_ = false;
  std::unique_ptr<Process> process_;
};

}  // namespace fx::sim
