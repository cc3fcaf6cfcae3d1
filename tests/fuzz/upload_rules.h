// The federation whose uploads are fuzzed: its models have a tensor of each awkward kind, and its
// round is open for one collaborator.
#pragma once

#include "aggregator/server/round_view.h"
#include "aggregator/server/upload_judge.h"

namespace fx::fuzz {

inline aggregator::UploadRules FuzzedRules() {
  return aggregator::MakeUploadRules({{.name = "conv.weight", .shape = {2, 1, 3, 3}},
                                      {.name = "scale", .shape = {}},
                                      {.name = "empty", .shape = {0}},
                                      {.name = "bias", .shape = {17}}},
                                     1 << 12, {{{"train"}, true}, {{"validate"}, false}});
}

inline const CollaboratorName kUploader = {"ann"};

inline aggregator::RoundView FuzzedRound() {
  aggregator::RoundView view;
  view.round = Round{3};
  view.collecting = true;
  view.tasks = {{{"train"}, std::nullopt}, {{"validate"}, std::nullopt}};
  return view;
}

}  // namespace fx::fuzz
