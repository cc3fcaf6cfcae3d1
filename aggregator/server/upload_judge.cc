#include "aggregator/server/upload_judge.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "core/base/format.h"
#include "rpc/convert.h"

namespace fx::aggregator {
namespace {

constexpr std::size_t kUpdateIdDigits = 32;

tl::unexpected<Error> Wrong(std::string message) {
  return Fail(ErrorCode::kInvalidArgument, std::move(message));
}
tl::unexpected<Error> TooLate(std::string message) {
  return Fail(ErrorCode::kAborted, std::move(message));
}

Status CheckMetricName(const std::string& name, std::set<std::string>& seen) {
  if (name.empty() || name.size() > kMaxMetricName ||
      std::ranges::any_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
    return Wrong(format("{} is not a name for a metric: expected 1 to {} printable characters",
                        Quoted(name), kMaxMetricName));
  }
  if (!seen.insert(name).second) return Wrong("metric " + Quoted(name) + " is reported twice");
  return Ok();
}

Result<std::vector<Metric>> CheckMetrics(const wire::UploadHeader& header) {
  if (header.metrics_size() > kMaxMetrics) {
    return Wrong(
        format("the result has {} metrics, more than {}", header.metrics_size(), kMaxMetrics));
  }
  std::vector<Metric> metrics;
  std::set<std::string> seen;
  for (const wire::Metric& metric : header.metrics()) {
    TRY(CheckMetricName(metric.name(), seen));
    if (!std::isfinite(metric.value())) {
      return Wrong(format("metric {} is {}, expected a finite number", Quoted(metric.name()),
                          metric.value()));
    }
    metrics.push_back({.name = metric.name(), .value = metric.value()});
  }
  return metrics;
}

bool IsUpdateId(const std::string& text) {
  return text.size() == kUpdateIdDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Status CheckNoTensors(const wire::UploadHeader& header) {
  if (header.size() == 0 && header.update_id().empty() && header.model_header().empty()) {
    return Ok();
  }
  return Wrong(format("task {} reports metrics only, but the result carries a model",
                      Quoted(header.task())));
}

Status CheckTensors(const wire::UploadHeader& header, const UploadRules& rules) {
  if (header.size() == 0) {
    return Wrong(
        format("task {} returns a model, but the result carries none", Quoted(header.task())));
  }
  if (header.size() > rules.max_update_bytes) {
    return Fail(Error(ErrorCode::kInvalidArgument,
                      format("the update has {} bytes, more than the {} this federation allows",
                             header.size(), rules.max_update_bytes))
                    .Hint("the plan's aggregator.settings.max_update_bytes sets the limit"));
  }
  const std::string& bytes = header.model_header();
  const Layout layout =
      TRY(In(DecodeModelHeader(AsBytes(bytes)), "the header of the update is not valid"));
  TRY(CheckLayout(layout, rules.layout));
  if (bytes != rules.header) return Wrong("the header of the update has stray bytes in it");
  if (header.size() != rules.map.size) {
    return Wrong(
        format("the update has {} bytes, but its tensors need {}", header.size(), rules.map.size));
  }
  if (!IsUpdateId(header.update_id())) {
    return Wrong(format("{} is not an update id: expected {} hex digits",
                        Quoted(header.update_id()), kUpdateIdDigits));
  }
  return Ok();
}

Status CheckFailure(const wire::UploadHeader& header) {
  const std::string& reason = header.failure();
  if (reason != Printable(reason, kMaxFailure)) {
    return Wrong(format("the reason of a failure is expected in at most {} characters of ASCII",
                        kMaxFailure));
  }
  if (header.size() == 0 && header.num_samples() == 0 && header.metrics().empty() &&
      header.update_id().empty() && header.model_header().empty()) {
    return Ok();
  }
  return Wrong(format("task {} failed, but has a result", Quoted(header.task())));
}

// What the federation has to say about the task now: true if exactly this update is already in.
Result<bool> CheckTime(const UploadTicket& ticket, const RoundView& view) {
  const std::uint32_t now = Number(view.round);
  const std::uint32_t round = Number(ticket.round);
  if (round < now) {
    return TooLate(format("round {} is over, the federation is in round {}", round, now));
  }
  if (round > now) {
    return TooLate(format("round {} has not begun, the federation is in round {}", round, now));
  }
  const auto task = view.tasks.find(ticket.task);
  if (task == view.tasks.end()) {
    return Wrong(format("task {} of round {} was not assigned to {}", Quoted(ticket.task.value),
                        now, Quoted(ticket.who.value)));
  }
  const auto& accepted = task->second;
  if (accepted && *accepted == ticket.update) return true;
  if (accepted) {
    return TooLate(format("task {} of round {} already has another result of {}",
                          Quoted(ticket.task.value), now, Quoted(ticket.who.value)));
  }
  if (!view.collecting) return TooLate(format("round {} is closed", now));
  return false;
}

}  // namespace

UploadRules MakeUploadRules(Layout layout, std::uint64_t max_update_bytes,
                            std::map<TaskName, bool> tasks) {
  return {.layout = layout,
          .header = EncodeModelHeader(layout),
          .map = MapModelFile(layout),
          .max_update_bytes = max_update_bytes,
          .tasks = std::move(tasks)};
}

Result<UploadTicket> JudgeUpload(const wire::UploadHeader& header, const CollaboratorName& who,
                                 const UploadRules& rules, const RoundView& view) {
  const auto task = rules.tasks.find(TaskName{header.task()});
  if (task == rules.tasks.end()) return Wrong("the plan has no task " + Quoted(header.task()));
  UploadTicket ticket{.who = who,
                      .round = Round{header.round()},
                      .task = task->first,
                      .update = UpdateId{header.update_id()},
                      .num_samples = header.num_samples(),
                      .metrics = {},
                      .size = header.size(),
                      .failure = {}};
  TRY(JudgeAgain(ticket, view));
  if (!header.failure().empty()) {
    TRY(CheckFailure(header));
    ticket.failure = header.failure();
    return ticket;
  }
  TRY(task->second ? CheckTensors(header, rules) : CheckNoTensors(header));
  if (header.num_samples() < 1 || header.num_samples() > kMaxSamples) {
    return Wrong(format("the result counts {} samples, expected 1 to {}", header.num_samples(),
                        kMaxSamples));
  }
  ticket.metrics = TRY(CheckMetrics(header));
  return ticket;
}

Status JudgeAgain(UploadTicket& ticket, const RoundView& view) {
  ticket.already_accepted = TRY(CheckTime(ticket, view));
  return Ok();
}

}  // namespace fx::aggregator
