#include "fx/aggregator/watch.h"

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <set>
#include <utility>

#include "core/base/format.h"
#include "core/base/log.h"
#include "fx/certificates.h"
#include "pki/chain.h"
#include "pki/inventory.h"
#include "plan/cols_file.h"
#include "plan/load.h"

namespace fx {
namespace {

constexpr auto kWarnEvery = std::chrono::hours(24);
constexpr const char* kNewList =
    "sign the list anew where the authority is: fx pki renew --crl; elsewhere copy it anew";

std::vector<Path> CredentialFiles(const Plan& plan, const Path& cert_folder) {
  const auto identity = Identity::Aggregator(plan.network.agg_addr);
  if (!identity) return {};
  return {identity->File(cert_folder, ".crt"), identity->File(cert_folder, ".key"),
          ChainFile(cert_folder)};
}

// With a static assigner the plan names everyone; nobody else can be given tasks.
bool HasAGroup(const Plan& plan, const CollaboratorName& who) {
  if (plan.assigner != AssignerType::kStaticGrouped) return true;
  return std::ranges::any_of(plan.task_groups, [&](const TaskGroup& group) {
    return std::ranges::find(group.collaborators, who) != group.collaborators.end();
  });
}

// Of `names`, those that are not among `others`.
std::vector<CollaboratorName> Without(const std::vector<CollaboratorName>& names,
                                      const std::vector<CollaboratorName>& others) {
  const std::set<CollaboratorName> known(others.begin(), others.end());
  std::vector<CollaboratorName> left;
  std::ranges::copy_if(names, std::back_inserter(left),
                       [&](const CollaboratorName& name) { return !known.contains(name); });
  return left;
}

}  // namespace

Result<std::optional<RevocationList>> LoadListInForce(const Path& cert_folder) {
  auto list = TRY(In(LoadRevocationList(cert_folder), "cannot tell who was revoked"));
  const std::vector<IssuedEntry> unlisted =
      Unlisted(TRY(LoadIssued(IssuedFile(cert_folder))), list);
  if (unlisted.empty()) return list;
  return Fail(Error(ErrorCode::kFailedPrecondition,
                    format("{} {}, but the authority's books, {}, say that the certificate {} of "
                           "{} was revoked",
                           RevocationFile(cert_folder).string(), list ? "is too old" : "is missing",
                           IssuedFile(cert_folder).string(), unlisted.front().serial,
                           Printable(unlisted.front().CommonName())))
                  .Hint(kNewList));
}

Watch::Watch(const Plan& plan, WatchedFiles files, std::optional<RevocationList> list,
             aggregator::Runtime& runtime)
    : plan_(plan),
      files_(std::move(files)),
      runtime_(runtime),
      members_(plan.authorized),
      list_(std::move(list)) {}

void Watch::Look() {
  const std::lock_guard lock(mutex_);
  LookLocked();
}

void Watch::Reread() {
  const std::lock_guard lock(mutex_);
  stamps_.Forget();
  complaints_.clear();
  LookLocked();
  if (doubted_) LookLocked();  // somebody asked for it: half a list would not be there
  LogInfo("read again what may change while this runs",
          {{"collaborators", std::to_string(members_.size())},
           {"revocation_list", list_ ? std::to_string(list_->number()) : "none"},
           {"refused", std::to_string(complaints_.size())}});
}

void Watch::LookLocked() {
  Try({files_.cols}, &Watch::LookAtMembers,
      "the list of collaborators cannot be read; the one before is in force");
  if (!plan_.network.tls) return;
  Try({RevocationFile(files_.cert_folder)}, &Watch::TakeList,
      list_ ? "the revocation list cannot be used; the one before is in force"
            : "the revocation list cannot be used; nobody is revoked by it");
  Try(CredentialFiles(plan_, files_.cert_folder), &Watch::TakeCredentials,
      "the aggregator's new certificate cannot be used; the one before is in use");
}

// What went wrong is tried again each time, and said once.
void Watch::Try(const std::vector<Path>& files, Status (Watch::*take)(), const char* otherwise) {
  const bool changed = stamps_.Changed(files);
  const auto complaint = complaints_.find(otherwise);
  if (!changed && complaint == complaints_.end()) return;
  const Status done = (this->*take)();
  if (done) {
    if (complaint != complaints_.end()) complaints_.erase(complaint);
    return;
  }
  const Error& error = done.error();
  if (std::exchange(complaints_[otherwise], error.OneLine()) == error.OneLine()) return;
  if (error.hint().empty()) return LogError(otherwise, {{"reason", error.OneLine()}});
  LogError(otherwise, {{"reason", error.OneLine()}, {"hint", error.hint()}});
}

Result<std::vector<CollaboratorName>> Watch::ReadMembers() {
  const std::lock_guard lock(mutex_);
  const std::vector<CollaboratorName> listed = TRY(LoadColsFile(files_.cols));
  TRY(TakeMembers(Useful(listed)));
  return members_;
}

Status Watch::LookAtMembers() {
  std::vector<CollaboratorName> now = Useful(TRY(LoadColsFile(files_.cols)));
  if (Without(members_, now).empty() || doubted_ == now) return TakeMembers(std::move(now));
  doubted_ = std::move(now);
  stamps_.Forget(files_.cols);  // the next look reads it again
  return Ok();
}

Status Watch::TakeMembers(std::vector<CollaboratorName> now) {
  doubted_.reset();
  if (now == members_) return Ok();
  if (now.empty()) {
    return Fail(Error(ErrorCode::kFailedPrecondition,
                      format("{} lists nobody who can take part", files_.cols.string()))
                    .Hint("to stop the aggregator after this round: fx aggregator stop"));
  }
  const std::vector<CollaboratorName> added = Without(now, members_);
  const std::vector<CollaboratorName> gone = Without(members_, now);
  runtime_.SetMembers(now);
  members_ = std::move(now);
  if (!added.empty()) {
    LogInfo(format("Collaborators may take part from the next round on: {}", Listed(added)));
  }
  if (!gone.empty()) LogInfo(format("Collaborators have left: {}", Listed(gone)));
  return Ok();
}

std::vector<CollaboratorName> Watch::Useful(const std::vector<CollaboratorName>& listed) const {
  std::vector<CollaboratorName> useful;
  for (const CollaboratorName& name : listed) {
    if (HasAGroup(plan_, name)) {
      useful.push_back(name);
    } else {
      LogWarning(
          "a collaborator is listed that no task group of the plan names; it cannot take part",
          {{"collaborator", name.value}});
    }
  }
  return useful;
}

Status Watch::TakeList() {
  std::optional<RevocationList> found = TRY(LoadRevocationList(files_.cert_folder));
  if (!found && !list_) return Ok();
  if (!found) {
    return Fail(Error(ErrorCode::kNotFound,
                      format("{} is gone", RevocationFile(files_.cert_folder).string()))
                    .Hint(kNewList));
  }
  if (list_ && found->number() < list_->number()) {
    return Fail(
        Error(ErrorCode::kFailedPrecondition,
              format("{} has number {}, which is older than number {} in force",
                     RevocationFile(files_.cert_folder).string(), found->number(), list_->number()))
            .Hint(kNewList));
  }
  if (list_ && found->ToPem() == list_->ToPem()) return Ok();
  list_ = std::move(found);
  runtime_.Revoke(*list_);
  LogInfo("the revocation list is in force", {{"number", std::to_string(list_->number())},
                                              {"revoked", std::to_string(list_->size())}});
  return Ok();
}

Status Watch::TakeCredentials() {
  const PemBundle bundle =
      TRY(LoadAggregatorCredentials(files_.cert_folder, plan_.network.agg_addr));
  runtime_.Renew(bundle);
  const Certificate certificate = TRY(Certificate::FromPem(bundle.certificate, "certificate"));
  LogInfo("the aggregator's certificate is in use",
          {{"serial", certificate.Serial()}, {"until", UtcText(certificate.validity().to)}});
  return Ok();
}

std::vector<CollaboratorName> Watch::Members() {
  const std::lock_guard lock(mutex_);
  return members_;
}

void Watch::Start(std::chrono::milliseconds every) {
  thread_ = std::jthread([this, every](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    auto warn_at = std::chrono::steady_clock::now() + kWarnEvery;
    while (!wake.wait_for(lock, stop, every, [&] { return stop.stop_requested(); })) {
      Look();
      if (std::chrono::steady_clock::now() < warn_at) continue;
      warn_at += kWarnEvery;
      Plan now = plan_;
      now.authorized = Members();
      LogCertificateWarnings(files_.cert_folder, NamesThatCount(now));
    }
  });
}

}  // namespace fx
