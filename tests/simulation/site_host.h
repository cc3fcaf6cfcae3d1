// A collaborator: the real session on a fake machine. What the task loop, its link and its store do
// is done here in the same order, a step at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "collaborator/session.h"
#include "tests/simulation/wire.h"
#include "tests/simulation/witness.h"

namespace fx::sim {

class SiteHost final : public Host {
 public:
  SiteHost(World& world, const Faults& faults, const Plan& plan, const CollaboratorName& who,
           Wire& wire, Witness& witness)
      : Host(world, faults, who.value), plan_(plan), who_(who), wire_(wire), witness_(witness) {}

  // It was told that the federation is over.
  bool left() const { return left_; }

 private:
  void Boot() override;
  void Gone(Death how) override;
  collaborator::Remembered Remember() const;
  bool IsWhole(const collaborator::FinishedTask& task) const;

  void Proceed();
  void Do(const collaborator::AskForTasks&);
  void Do(const collaborator::FetchModel& fetch);
  void Do(const collaborator::RunTask& run);
  void Do(const collaborator::SendResult& send);
  void Do(const collaborator::CloseRound& close);
  void Do(const collaborator::Tidy& tidy);
  void Do(const collaborator::Leave&);
  void Leave();

  // Calls, made again until they are answered.
  template <typename Step, typename Hear>
  void Try(Step step, Hear hear);
  template <typename Step>
  void TryAgain(Step step);
  void HearTasks(const Down& message);
  void HearModel(const collaborator::FetchModel& fetch, const Down& message);
  void HearAboutResult(const collaborator::SendResult& send, const Down& message);
  void SendBytes(const collaborator::SendResult& send, std::uint64_t offset);
  bool WorthAnotherTry(const aggregator::Reply& reply) const;
  void MovedOn(const std::string& what, const aggregator::Reply& reply);

  void RunNow(const collaborator::RunTask& run);
  collaborator::FinishedTask Store(collaborator::FinishedTask task, const std::string& trained,
                                   const std::string& optimizer);
  void Must(const Status& done);

  const Plan& plan_;
  const CollaboratorName who_;
  Wire& wire_;
  Witness& witness_;
  bool left_ = false;

  // In the memory of one process.
  std::optional<collaborator::Session> session_;
  CallPtr call_;
  bool downloaded_ = false;  // wrong bytes, once
  int superseded_ = 0;       // by other questions under this name, in a row
  std::string refused_;
};

}  // namespace fx::sim
