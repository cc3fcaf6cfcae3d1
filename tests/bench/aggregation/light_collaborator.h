// A collaborator of which hundreds fit on one machine: real connection, real messages, no training
// and nothing kept.
#pragma once

#include <cstdint>
#include <functional>

#include "collaborator/link.h"
#include "core/base/file.h"
#include "core/base/names.h"
#include "pki/cert_store.h"
#include "plan/plan.h"

namespace fx::bench {

// What all of them send: the result of the plan's first task, with the bytes of the initial model
// from a file in `workspace`, for any round.
TaskResult PrepareUpdate(const Plan& plan, const Path& workspace);

struct LightCollaborator {
  const Plan& plan;
  CollaboratorName name;
  std::uint16_t port = 0;
  const Path& workspace;
  const TaskResult& update;
  std::function<void(Round)> begins;  // a round: it has the model, and would train now
  // It has asked for tasks, and has got some.
  std::function<void()> asks = [] {};
  std::function<void(Round)> is_answered = [](Round) {};
};

// Downloads and forgets, and sends the update as if it had trained it, until the federation is
// over.
void Run(const LightCollaborator& light, PemBundle credentials);

}  // namespace fx::bench
