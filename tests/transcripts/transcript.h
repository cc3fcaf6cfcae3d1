// Runs an aggregator Engine from a script and prints what it decides: one command a line in; out,
// each command again, the records ("= ...") and actions ("> ...") it causes, and when the engine
// wants to be woken ("@ ..."). The commands are
//
//   TIME plan cols=ann,bob rounds=2 [assigner=static] [cutoff=MS] [minimum=N] [percent=P] [keep=N]
//        [fraction=F] [least=N] [over=O] [metric=NAME] [smoothing=S] [patience=N]
//   TIME task NAME trains|scaffolds|judges|tunes [METRIC,METRIC]
//   TIME group MEMBERS|PERCENTAGE TASKS
//   TIME start MODEL                    the process is up; the plan above is final
//   TIME ask REQUEST WHO                asks for tasks
//   TIME stage REQUEST WHO ROUND TASK UPDATE|- SAMPLES [METRIC=VALUE ...]
//   TIME fail REQUEST WHO ROUND TASK REASON
//   TIME aggregated ROUND MODEL         the job is done
//   TIME members ann,bob|-              the authorised list is this one now, and after a crash too
//   TIME cut-off REQUEST                an administrator wants the round closed now
//   TIME pause REQUEST                  an administrator wants the process to end after the round
//   TIME clock                          time has passed
//   TIME crash                          drops the engine, rebuilds it from the records so far
//
// Records pass through the journal's JSON on their way to a rebuilt engine.
#pragma once

#include <string>

namespace fx::aggregator {

struct TranscriptOptions {
  bool crash_after_every_command = false;
};

std::string RunTranscript(const std::string& script, TranscriptOptions options = {});

}  // namespace fx::aggregator
