// The aggregator as a process: the shell around the engine. Owns the loop (event -> step -> journal
// -> actions), the threads, the state folder and the server.
//
//   engine thread   the caller of Run: Engine, Journal, Report
//   fx-disk         fsync and rename of staged updates, several at once
//   fx-io           best and last model; metrics file; removal of what is old
//   fx-fold         the aggregation of a closed round, with workers of its own
//   gRPC's threads  calls; they post events and never wait for the engine
//
// A crash at any moment loses nothing that was acknowledged: Create on the same workspace goes on
// where the journal ends, and the models come out the same, byte for byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "aggregator/engine/record.h"
#include "aggregator/server/attendance.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"
#include "pki/cert_store.h"
#include "pki/revocation_list.h"
#include "plan/plan.h"
#include "rpc/heartbeat.h"

namespace fx::aggregator {

struct RuntimeOptions {
  Plan plan;
  PemBundle credentials;  // not looked at if the plan's network.settings.tls is false
  std::optional<RevocationList> revoked = {};  // in force before anyone is let in
  Path workspace = ".";                        // paths of the plan are relative to it
  std::string address = "[::]";                // the interface to listen on; every one
  std::uint16_t port = 0;                      // 0: any free one
  int fold_threads = 1;
  std::int64_t goodbye_ms = 60'000;       // waits so long to tell everyone that it is over
  std::int64_t late_goodbye_ms = 10'000;  // the same, if it was over before this process began
  std::int64_t quiet_ms = 3'000;          // stays so long after the last was told: an answer may
                                          // be lost, and a site killed with it asks again
  std::int64_t recheck_ms = 30'000;       // looks so often whether those who wait have become
                                          // unwelcome: certificates expire without a word
  std::size_t uploads_at_once = 64;       // each has a chunk in memory; others wait for their turn
  Heartbeat heartbeat = {};               // of its connections; others than these are for tests
  std::ostream* table = nullptr;          // a row a round; none if null; outlives the runtime
  std::function<TimeMs()> now;            // the clock of events and certificates; the
                                          // system's if empty
  // Is told every record once it is durable, those of earlier processes first. On the engine's
  // thread; must not block.
  std::function<void(TimeMs, const Record&)> observe = {};
};

// How a run ended: with the federation, after a round as StopAfterRound asked, or by RequestStop.
enum class Outcome { kFinished, kPaused, kStopped };

class Runtime {
 public:
  // Opens the state folder, replays the journal, and starts to listen. Refuses with words for an
  // administrator: no collaborator is authorised, no initial model, one that is not the plan's,
  // another aggregator at work on the same federation, a journal that is not ours, a taken port.
  static Result<std::unique_ptr<Runtime>> Create(RuntimeOptions options);
  ~Runtime();

  std::uint16_t port() const;

  // The federation was over when this process began: Run only tells those who ask.
  bool already_finished() const;
  const Path& state_folder() const;

  // Serves until the federation is over and everyone knows, or RequestStop. Once. An error means
  // that the disk failed; what was acknowledged is safe, and a new start goes on from there.
  Result<Outcome> Run();

  // What may change while it serves; from any thread. Each holds when it returns.

  // These may take part, in this order, and nobody else: who is new has tasks from the next round
  // that is opened, and the open round goes on without those who left, whose calls end.
  void SetMembers(const std::vector<CollaboratorName>& who);
  // The certificates on this list are refused, and the calls that came with one end.
  void Revoke(RevocationList list);
  // The certificate and key to show, and the authorities to trust, in handshakes to come. Only if
  // the plan's network.settings.tls is true.
  void Renew(const PemBundle& credentials);

  // What an administrator may ask for. From any thread, but not the one in Run, which answers.

  // Closes the open round with what is there. Refuses, with kAborted and why, if no round is open
  // or fewer than the plan's minimum_reporting have done their part.
  Status CutOff();
  // Makes Run return, with kPaused, once the round under way is aggregated. Refuses if the
  // federation is over.
  Status StopAfterRound();
  // Who was heard of since this process began.
  std::vector<Attendee> Present() const;

  // Makes Run return soon. From any thread, any number of times.
  void RequestStop();

 private:
  class Impl;
  explicit Runtime(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fx::aggregator
