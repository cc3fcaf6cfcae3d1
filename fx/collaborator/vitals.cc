#include "fx/collaborator/vitals.h"

#include <variant>

#include "core/base/format.h"
#include "fx/service/metrics_text.h"

namespace fx {

void CollaboratorVitals::Doing(const collaborator::Step& step) {
  const std::lock_guard lock(mutex_);
  training_ = std::holds_alternative<collaborator::RunTask>(step);
  if (const auto* run = std::get_if<collaborator::RunTask>(&step)) {
    round_ = run->round;
    ++tasks_;
    line_ = format("round {}: {}", Number(run->round), run->task.value);
  } else if (const auto* send = std::get_if<collaborator::SendResult>(&step)) {
    last_task_seconds_ = send->result.seconds;
    line_ = format("round {}: sending the result of {}", Number(send->result.round),
                   send->result.task.value);
  } else if (std::holds_alternative<collaborator::CloseRound>(step)) {
    ++rounds_;
  } else if (std::holds_alternative<collaborator::FetchModel>(step)) {
    line_ = "fetching the model";
  } else if (std::holds_alternative<collaborator::AskForTasks>(step)) {
    line_ = "waiting for tasks";
  } else if (std::holds_alternative<collaborator::Leave>(step)) {
    line_ = "the federation is over";
  }
}

std::string CollaboratorVitals::Line() const {
  const std::lock_guard lock(mutex_);
  return line_;
}

std::string CollaboratorVitals::Metrics() const {
  const std::lock_guard lock(mutex_);
  MetricsText text;
  text.Gauge("fx_round", "The last round this site had a task of, counted from 0.",
             static_cast<double>(Number(round_)));
  text.Gauge("fx_task_running", "1 while a task is run.", training_ ? 1 : 0);
  text.Gauge("fx_aggregator_reachable", "0 if the last attempt to reach the aggregator failed.",
             reaches_aggregator() ? 1 : 0);
  text.Gauge("fx_last_task_seconds", "How long the last task that was sent took.",
             last_task_seconds_);
  text.Counter("fx_tasks_total", "Tasks that were begun.", static_cast<double>(tasks_));
  text.Counter("fx_rounds_total", "Rounds this site has done its part of.",
               static_cast<double>(rounds_));
  text.Counter("fx_received_bytes_total", "Bytes of models that were fetched.",
               static_cast<double>(link_.bytes_received.load()));
  text.Counter("fx_sent_bytes_total", "Bytes of updates that were sent.",
               static_cast<double>(link_.bytes_sent.load()));
  return text.text();
}

}  // namespace fx
