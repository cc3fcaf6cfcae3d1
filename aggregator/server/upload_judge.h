// Judges an upload by its header, before a byte of its payload is read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "aggregator/server/round_view.h"
#include "core/base/error.h"
#include "core/base/names.h"
#include "core/tensor/model_file.h"
#include "rpc/aggregator.pb.h"

namespace fx::aggregator {

// What a result may carry besides tensors.
inline constexpr int kMaxMetrics = 64;
inline constexpr std::size_t kMaxMetricName = 128;
inline constexpr std::int64_t kMaxSamples = 1'000'000'000'000;

// What every update of a federation must be like. Fixed from its start: all models of a federation
// have one layout, and its tensors are float32.
struct UploadRules {
  Layout layout;
  std::string header;  // EncodeModelHeader(layout)
  ModelFileMap map;    // MapModelFile(layout)
  std::uint64_t max_update_bytes = 0;
  std::map<TaskName, bool> tasks;  // of the plan; true: returns tensors
};

UploadRules MakeUploadRules(Layout layout, std::uint64_t max_update_bytes,
                            std::map<TaskName, bool> tasks);

// An upload that may go ahead.
struct UploadTicket {
  CollaboratorName who;
  Round round{};
  TaskName task;
  UpdateId update;  // empty: metrics only
  std::int64_t num_samples = 0;
  std::vector<Metric> metrics;
  std::uint64_t size = 0;         // bytes to come
  bool already_accepted = false;  // the very same bytes: none need to come
  std::string failure;            // why there is no result
};

// `who` has been authenticated, and `view` is for it. Refuses with kAborted what comes too late
// (the round has moved on) and with kInvalidArgument what is wrong at any time; each in words for
// the sender.
Result<UploadTicket> JudgeUpload(const federation::v1::UploadHeader& header,
                                 const CollaboratorName& who, const UploadRules& rules,
                                 const RoundView& view);

// The same for what may have changed since: whether the result is still wanted, and whether it is
// already there.
Status JudgeAgain(UploadTicket& ticket, const RoundView& view);

}  // namespace fx::aggregator
