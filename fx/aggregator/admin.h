// What the verbs of `fx aggregator` and `fx status` ask a running aggregator, and its answers;
// fx/aggregator/admin_socket.h is the way between them.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "aggregator/runtime.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"
#include "fx/aggregator/admin_socket.h"
#include "fx/aggregator/watch.h"

namespace fx {

// Answers in the runtime's state folder until destruction; all three outlive it. Null, and a
// warning in the log, if there can be no socket: the federation does not need one.
std::unique_ptr<AdminSocket> AnswerAdministrators(aggregator::Runtime& runtime, Watch& watch,
                                                  LastWord& last_word);

// The questions, to the aggregator whose state folder this is. All return none (kUnavailable, where
// there is nothing to return) if it is not running.

// Reads its list of collaborators now, and says who may take part since then.
Result<std::optional<std::vector<CollaboratorName>>> AskForMembers(const Path& folder);
// As Runtime::Present.
Result<std::optional<std::vector<aggregator::Attendee>>> AskWhoIsThere(const Path& folder);
// As Runtime::CutOff and Runtime::StopAfterRound.
Status AskForCutOff(const Path& folder);
Status AskForStop(const Path& folder);

// AskForStop by somebody who wants to know how it goes.
Result<AwaitedEnd> AskForStopAndWait(const Path& folder);
// Waits for the end of the process, for as long as the round lasts. Ok if it ended after the round,
// or the federation was over with it; kAborted if it ended otherwise; kCancelled if `stop` came
// first.
Status ComesToItsEnd(const AwaitedEnd& end, const std::stop_token& stop);
// The other side of it, once the state folder is free again.
void SayHowItEnded(LastWord& last_word, aggregator::Outcome outcome);

}  // namespace fx
