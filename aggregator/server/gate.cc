#include "aggregator/server/gate.h"

#include <set>

#include "core/base/format.h"

namespace fx::aggregator {

Status Caller::StillWelcome() const {
  const std::lock_guard lock(gate_->mutex_);
  TRY(gate_->CheckMember(who_));
  return certificate_ ? gate_->Check(*certificate_, who_) : Ok();
}

Result<Caller> Gate::Admit(const wire::Header& header, std::span<const std::string> peer_names,
                           const std::string& peer_pem) const {
  std::optional<Certificate> certificate;
  if (!peer_pem.empty()) {
    certificate.emplace(TRY(Certificate::FromPem(peer_pem, "the caller's certificate")));
  }
  const std::lock_guard lock(mutex_);
  CollaboratorName who = TRY(CheckHeader(header, rules_, peer_names));
  if (certificate) TRY(Check(*certificate, who));
  return Caller(std::move(who), std::move(certificate), *this);
}

Status Gate::CheckMember(const CollaboratorName& who) const {
  if (rules_.authorized.contains(who)) return Ok();
  return Fail(Error(ErrorCode::kPermissionDenied,
                    format("{} was taken off plan/cols.yaml of the aggregator", who.value))
                  .Hint("ask the federation's administrator why"));
}

// gRPC has seen to it that the authority signed it; but that was when the connection was opened.
Status Gate::Check(const Certificate& certificate, const CollaboratorName& who) const {
  const auto hint = [&] {
    return format("get a new certificate for {}: fx pki renew {}, then start it again", who.value,
                  who.value);
  };
  if (revoked_ && revoked_->Lists(certificate)) {
    return Fail(Error(ErrorCode::kUnauthenticated,
                      format("the certificate of {} with the serial number {} was revoked",
                             who.value, certificate.Serial()))
                    .Hint("ask the federation's administrator why; " + hint()));
  }
  if (FreshnessOf(certificate.validity(), unix_now_()) == Freshness::kEnded) {
    return Fail(
        Error(ErrorCode::kUnauthenticated, format("the certificate of {} expired on {}", who.value,
                                                  UtcText(certificate.validity().to)))
            .Hint(hint()));
  }
  return Ok();
}

void Gate::SetMembers(const std::vector<CollaboratorName>& who) {
  const std::lock_guard lock(mutex_);
  rules_.authorized = {who.begin(), who.end()};
}

void Gate::KeepOnly(const std::vector<CollaboratorName>& who) {
  const std::set<CollaboratorName> keep(who.begin(), who.end());
  const std::lock_guard lock(mutex_);
  std::erase_if(rules_.authorized, [&](const auto& name) { return !keep.contains(name); });
}

void Gate::Revoke(RevocationList list) {
  const std::lock_guard lock(mutex_);
  revoked_ = std::move(list);
}

}  // namespace fx::aggregator
