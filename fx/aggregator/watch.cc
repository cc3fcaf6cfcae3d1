#include "fx/aggregator/watch.h"

#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "core/base/format.h"
#include "core/base/log.h"
#include "fx/certificates.h"
#include "pki/chain.h"
#include "pki/inventory.h"
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

std::string Listed(const std::vector<CollaboratorName>& names) {
  std::string text;
  for (const CollaboratorName& name : names) text += (text.empty() ? "" : ", ") + name.value;
  return text;
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
      members_(plan.authorized.begin(), plan.authorized.end()),
      list_(std::move(list)) {}

Watch::Stamp Watch::StampOf(const Path& file) {
  struct stat found {};
  if (stat(file.c_str(), &found) != 0) return {};
  return {found.st_mtim.tv_sec, found.st_mtim.tv_nsec,
          found.st_size,        static_cast<std::int64_t>(found.st_ino),
          found.st_ctim.tv_sec, found.st_ctim.tv_nsec};
}

bool Watch::Changed(const std::vector<Path>& files) {
  bool changed = false;
  for (const Path& file : files) {
    Stamp now = StampOf(file);
    const auto [at, fresh] = seen_.try_emplace(file, now);
    changed = changed || fresh || at->second != now;
    at->second = std::move(now);
  }
  return changed;
}

void Watch::Look() {
  Try({files_.cols}, &Watch::TakeMembers,
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
  const bool changed = Changed(files);
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

Status Watch::TakeMembers() {
  const std::vector<CollaboratorName> listed = TRY(LoadColsFile(files_.cols));
  std::vector<CollaboratorName> added;
  for (const CollaboratorName& name : listed) {
    if (members_.contains(name)) continue;
    if (HasAGroup(plan_, name)) {
      added.push_back(name);
    } else {
      LogWarning(
          "a collaborator was added that no task group of the plan names; it cannot take "
          "part",
          {{"collaborator", name.value}});
    }
  }
  for (const CollaboratorName& name : members_) {
    if (std::ranges::find(listed, name) != listed.end()) continue;
    LogWarning("a collaborator was removed from the list; that counts from the next start",
               {{"collaborator", name.value}});
  }
  if (added.empty()) return Ok();
  runtime_.Enroll(added);
  members_.insert(added.begin(), added.end());
  LogInfo(format("Collaborators may take part from the next round on: {}", Listed(added)));
  return Ok();
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
      now.authorized.assign(members_.begin(), members_.end());
      LogCertificateWarnings(files_.cert_folder, NamesThatCount(now));
    }
  });
}

}  // namespace fx
