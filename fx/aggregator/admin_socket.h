// How the verbs of `fx aggregator` reach the aggregator that runs in the same workspace: a Unix
// socket, admin.sock, in its state folder. Only its own user, and root, are answered; the kernel
// says who asks.
//
// A conversation is one question and one answer. The question is a line of at most 1,024 bytes; the
// answer is "ok" and a text, or "error" with a code, a sentence and a hint, and ends with the
// connection. Who asks "await ..." is answered "ok" and no text, and hears, on the same connection,
// the last word of the process; if it dies without one, the kernel ends the connection.
//
// Who hangs up before the question is read is not answered, and nothing is done: a question that
// waited (for others, or while the process was suspended) does not outlive its asker.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

// Those who wait for the end of the process. It outlives whatever must be gone by then.
// Thread-safe.
class LastWord {
 public:
  LastWord() = default;
  ~LastWord();  // hangs up
  LastWord(const LastWord&) = delete;
  LastWord& operator=(const LastWord&) = delete;

  // To everyone who waits, who are hung up on then.
  void Say(const std::string& word);

 private:
  friend class AdminSocket;
  bool HasRoom();        // hangs up on those who wait no longer
  void Keep(int asker);  // takes it over

  std::mutex mutex_;
  std::vector<int> askers_;
};

// Answers from Open to destruction, one asker after the other, on a thread of its own.
class AdminSocket {
 public:
  // What is said to a question, without its line end. Called on the socket's thread.
  using Answer = std::function<Result<std::string>(const std::string& question)>;

  // The caller holds the lock of `folder`, so that a socket that is there is a dead process's.
  // `last_word` outlives the socket.
  static Result<std::unique_ptr<AdminSocket>> Open(const Path& folder, Answer answer,
                                                   LastWord& last_word);
  ~AdminSocket();
  AdminSocket(const AdminSocket&) = delete;
  AdminSocket& operator=(const AdminSocket&) = delete;

 private:
  AdminSocket(Path folder, int socket, Answer answer, LastWord& last_word);
  void Serve(const std::stop_token& stop);
  bool Accept();
  bool Converse(int asker);

  const Path folder_;
  const int socket_;
  const int stopped_;  // an eventfd that wakes the thread
  const Answer answer_;
  LastWord& last_word_;
  std::jthread thread_;
};

// What the process that listens in `folder` says; none: there is no such process. An error is its
// own, or kPermissionDenied, or kUnavailable if it does not answer within `patience`.
Result<std::optional<std::string>> AskAdmin(
    const Path& folder, const std::string& question,
    std::chrono::milliseconds patience = std::chrono::seconds(30));

// A connection to a process that was asked, and agreed, to end.
class AwaitedEnd {
 public:
  explicit AwaitedEnd(int connection) : connection_(connection) {}
  AwaitedEnd(AwaitedEnd&& other) noexcept : connection_(std::exchange(other.connection_, -1)) {}
  AwaitedEnd& operator=(AwaitedEnd&& other) noexcept {
    std::swap(connection_, other.connection_);
    return *this;
  }
  ~AwaitedEnd();

  // Waits until the process has ended; what it said last, or nothing if it died without a word.
  // kCancelled if `stop` came first.
  Result<std::string> LastWord(const std::stop_token& stop) const;

 private:
  int connection_;
};

// As AskAdmin, for a question after which the process ends.
Result<std::optional<AwaitedEnd>> AskAdminAndAwaitEnd(
    const Path& folder, const std::string& question,
    std::chrono::milliseconds patience = std::chrono::seconds(30));

}  // namespace fx
