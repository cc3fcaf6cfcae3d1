// Calls that wait for the engine: each is answered once, by whoever takes it out.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/error.h"
#include "core/base/names.h"

namespace fx::aggregator {

struct TasksReply {
  Round round{};
  std::vector<TaskName> tasks;
  ModelId model;
  std::uint64_t model_size = 0;
  UpdateId counted;
};
struct QuitReply {};
struct AcceptedReply {};
using Reply = std::variant<TasksReply, QuitReply, AcceptedReply, Error>;

// A waiting call. `answer` finishes it; called at most once, from any thread, never under a lock.
struct Waiter {
  CollaboratorName who;
  bool leaving = false;  // a call for tasks that only confirms a QuitReply
  std::function<void(const Reply&)> answer;
  std::function<Status()> still_welcome{};  // whether the caller may go on waiting; empty: it may
};

// Thread-safe: calls come and go on gRPC's threads, the engine thread answers.
class Waiters {
 public:
  RequestId NewRequest();

  // All refuse, with kUnavailable, after Close. A collaborator asks for tasks, and says that it is
  // there, one call at a time: an older one of the same name is answered with kAborted.
  Status AddTasks(RequestId request, Waiter waiter);
  Status AddStay(RequestId request, Waiter waiter);
  Status AddUpload(RequestId request, Waiter waiter);

  // Whoever gets the waiter must answer it. None: it has been answered, or its caller has gone.
  std::optional<Waiter> Take(RequestId request);

  // The engine has nothing for the call yet.
  void Park(RequestId request);
  // The parked calls, which are parked no longer, oldest first: the engine is to be asked again.
  std::vector<std::pair<CollaboratorName, RequestId>> Unpark();

  // Answers the calls whose caller is not welcome any more with the reason.
  void Dismiss();

  // Answers every call with `error`, and refuses new ones.
  void Close(const Error& error);

 private:
  struct Entry {
    Waiter waiter;
    bool parked = false;
  };
  using LastCalls = std::map<CollaboratorName, RequestId>;  // of each; may be answered
  Status AddOnly(LastCalls& calls, std::string_view what, RequestId request, Waiter waiter);
  Status AddLocked(RequestId request, Waiter waiter);

  std::mutex mutex_;
  std::uint64_t last_request_ = 0;
  bool closed_ = false;
  std::map<RequestId, Entry> entries_;
  LastCalls asking_, staying_;
};

}  // namespace fx::aggregator
