#include "aggregator/server/gate.h"

#include "core/base/format.h"

namespace fx::aggregator {

Status Caller::StillWelcome() const {
  if (!certificate_) return Ok();
  const std::lock_guard lock(gate_->mutex_);
  return gate_->Check(*certificate_, who_);
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

// gRPC has seen to it that the authority signed it; but that was when the connection was opened.
Status Gate::Check(const Certificate& certificate, const CollaboratorName& who) const {
  const std::string hint = format(
      "get a new certificate for {}: fx pki renew {}, then start it again", who.value, who.value);
  if (revoked_ && revoked_->Lists(certificate)) {
    return Fail(Error(ErrorCode::kUnauthenticated,
                      format("the certificate of {} with the serial number {} was revoked",
                             who.value, certificate.Serial()))
                    .Hint("ask the federation's administrator why; " + hint));
  }
  if (FreshnessOf(certificate.validity(), unix_now_()) == Freshness::kEnded) {
    return Fail(
        Error(ErrorCode::kUnauthenticated, format("the certificate of {} expired on {}", who.value,
                                                  UtcText(certificate.validity().to)))
            .Hint(hint));
  }
  return Ok();
}

void Gate::Enroll(const std::vector<CollaboratorName>& who) {
  const std::lock_guard lock(mutex_);
  rules_.authorized.insert(who.begin(), who.end());
}

void Gate::Revoke(RevocationList list) {
  const std::lock_guard lock(mutex_);
  revoked_ = std::move(list);
}

}  // namespace fx::aggregator
