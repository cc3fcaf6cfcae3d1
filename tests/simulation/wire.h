// Calls between collaborators and the aggregator, over connections that break.
//
// A call is an ordered stream of messages each way, as one of gRPC is. A message may be slow; it
// may break the connection, of which both ends hear or do not; or get stuck with all that follow it
// until long after the sender has given up and called again, so that the aggregator hears of the
// older call last.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "aggregator/server/waiters.h"
#include "collaborator/link.h"
#include "tests/simulation/host.h"

namespace fx::sim {

// What collaborators say: ask for tasks, fetch a model, or send a result and then its bytes.
struct Ask {
  bool leaving = false;  // only says goodbye
};
struct Fetch {
  ModelId model;
  std::uint64_t offset;
};
struct Bytes {
  std::string value;
};
using Up = std::variant<Ask, Fetch, TaskResult, Bytes>;

// What they hear. A Reply is the end of a call; AcceptedReply is that of a download, too.
struct Offset {
  std::uint64_t value;
};
using Down = std::variant<Offset, Bytes, aggregator::Reply>;

struct Call {
  std::uint64_t id;
  CollaboratorName who;
  std::uint64_t client_life;
  std::uint64_t server_life = 0;  // of the process that has heard of it; 0: none
  bool client_open = true;
  bool server_open = true;
  bool cut = false;
  std::int64_t stuck_ms = 0;  // what its connection is late by
  std::int64_t last_up = 0, last_down = 0;
  std::function<void(const Down&)> hear;
  std::function<void()> broken;
};
using CallPtr = std::shared_ptr<Call>;  // held by both ends and by messages under way

// The aggregator's end.
class Server : public Host {
 public:
  using Host::Host;
  virtual void OnUp(const CallPtr& call, const Up& message) = 0;
  virtual void OnCancel(const CallPtr& call) = 0;
};

class Wire {
 public:
  Wire(World& world, const Faults& faults) : world_(world), faults_(faults) {}

  void Connect(Server& server) { server_ = &server; }

  // `hear` gets the messages in order; `broken` is the end of a call that got no Reply. Neither is
  // called once the call is closed or the client's process has died.
  CallPtr Open(Host& client, std::function<void(const Down&)> hear, std::function<void()> broken);
  void SendUp(const CallPtr& call, Up message);
  void SendDown(const CallPtr& call, Down message);
  // The client wants no more of it.
  void Close(const CallPtr& call);

  void ClientDied(const Host& client, Death how);
  void ServerDied(Death how);

 private:
  struct Line {
    CallPtr call;
    Host* client;
  };
  bool CutOrStuck(const CallPtr& call);
  std::int64_t Latency(const CallPtr& call, std::int64_t& last);
  void DeliverUp(const CallPtr& call, const Up& message);
  void DeliverDown(const CallPtr& call, const Down& message);
  void BreakClient(const CallPtr& call, std::int64_t after);
  void CancelServer(const CallPtr& call, std::int64_t after);

  World& world_;
  const Faults& faults_;
  Server* server_ = nullptr;
  std::uint64_t calls_ = 0;
  std::map<std::uint64_t, Line> lines_;  // open at the client
};

}  // namespace fx::sim
