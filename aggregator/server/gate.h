// Who is let in, and who may stay. A call is judged when it begins; but a connection outlives what
// it was opened with, so a certificate that is taken back or expires ends the calls under way too.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/names.h"
#include "pki/certificate.h"
#include "pki/expiry.h"
#include "pki/revocation_list.h"
#include "rpc/convert.h"

namespace fx::aggregator {

class Gate;

// A call that was let in. Cheap to copy. The gate outlives it.
class Caller {
 public:
  const CollaboratorName& who() const { return who_; }
  // Refuses, with kUnauthenticated, once the certificate was revoked or has expired, and with
  // kPermissionDenied once the caller was taken off the list. Cheap enough to ask for every chunk.
  Status StillWelcome() const;

 private:
  friend class Gate;
  Caller(CollaboratorName who, std::optional<Certificate> certificate, const Gate& gate)
      : who_(std::move(who)), certificate_(std::move(certificate)), gate_(&gate) {}

  CollaboratorName who_;
  std::optional<Certificate> certificate_;  // none without TLS
  const Gate* gate_;
};

// Thread-safe.
class Gate {
 public:
  explicit Gate(CallerRules rules, std::function<std::int64_t()> unix_now = UnixNow)
      : rules_(std::move(rules)), unix_now_(std::move(unix_now)) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // As CheckHeader, and the certificate itself: not revoked, within its dates. `peer_pem` is empty
  // if the caller showed none.
  Result<Caller> Admit(const wire::Header& header, std::span<const std::string> peer_names,
                       const std::string& peer_pem) const;

  // From now on these may call, and nobody else; of those that may, only these.
  void SetMembers(const std::vector<CollaboratorName>& who);
  void KeepOnly(const std::vector<CollaboratorName>& who);
  // Replaces the list of what was taken back.
  void Revoke(RevocationList list);

 private:
  friend class Caller;
  Status CheckMember(const CollaboratorName& who) const;
  Status Check(const Certificate& certificate, const CollaboratorName& who) const;

  mutable std::mutex mutex_;
  CallerRules rules_;
  std::optional<RevocationList> revoked_;
  const std::function<std::int64_t()> unix_now_;
};

}  // namespace fx::aggregator
