#include "pki/inventory.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/format.h"
#include "pki/chain.h"
#include "pki/expiry.h"
#include "pki/identity.h"
#include "pki/issued_list.h"

namespace fx {
namespace {

CertificateState StateOf(const Validity& validity, bool revoked, std::int64_t now) {
  if (revoked) return CertificateState::kRevoked;
  switch (FreshnessOf(validity, now)) {
    case Freshness::kNotYet:
      return CertificateState::kNotYet;
    case Freshness::kEnding:
      return CertificateState::kEnding;
    case Freshness::kEnded:
      return CertificateState::kExpired;
    case Freshness::kFresh:
      break;
  }
  return CertificateState::kValid;
}

class Inventory {
 public:
  Inventory(std::optional<RevocationList> revoked, std::int64_t now)
      : revoked_(std::move(revoked)), now_(now) {}

  void Add(const Certificate& certificate, const std::string& role, const Path& file) {
    seen_.insert(certificate.Serial());
    const bool revoked = revoked_ && revoked_->Lists(certificate);
    all_.push_back({.name = Printable(certificate.CommonName()),
                    .role = role,
                    .serial = certificate.Serial(),
                    .validity = certificate.validity(),
                    .state = StateOf(certificate.validity(), revoked, now_),
                    .file = file});
  }

  void Add(const IssuedEntry& entry) {
    if (seen_.contains(entry.serial)) {
      const auto at = std::ranges::find(all_, entry.serial, &ListedCertificate::serial);
      if (entry.is_revoked()) at->state = CertificateState::kRevoked;
      return;
    }
    const Validity validity{.from = 0, .to = SecondsOf(entry.expiry)};
    all_.push_back({.name = Printable(entry.CommonName()),
                    .role = "",
                    .serial = entry.serial,
                    .validity = validity,
                    .state = StateOf(validity, entry.is_revoked(), now_),
                    .file = {}});
  }

  Status AddFolder(const Path& folder, const std::string& role) {
    if (!Exists(folder)) return Ok();
    for (const Path& file : TRY(ListFolder(folder))) {
      if (file.extension() == ".crt") Add(TRY(Certificate::Load(file)), role, file);
    }
    return Ok();
  }

  std::vector<ListedCertificate> Take() && { return std::move(all_); }

 private:
  std::optional<RevocationList> revoked_;
  std::int64_t now_;
  std::set<std::string> seen_;
  std::vector<ListedCertificate> all_;
};

std::string PlaceOf(const ListedCertificate& listed) {
  const std::string what = format("certificate of {}", listed.name);
  return listed.file.empty() ? "the " + what : format("{}: the {}", listed.file.string(), what);
}

void WarnOfCertificates(const std::vector<ListedCertificate>& all,
                        const std::vector<std::string>& names, std::int64_t now,
                        std::vector<std::string>& warnings) {
  std::map<std::string, const ListedCertificate*> newest;
  for (const ListedCertificate& listed : all) {
    if (listed.state == CertificateState::kRevoked) continue;
    if (listed.role != "authority" && std::ranges::find(names, listed.name) == names.end()) {
      continue;
    }
    const ListedCertificate*& best = newest[listed.name];
    if (best == nullptr || best->validity.to < listed.validity.to) best = &listed;
  }
  for (const auto& [name, listed] : newest) {
    const std::string warning = ExpiryWarning(listed->validity, now);
    if (!warning.empty()) warnings.push_back(format("{} {}", PlaceOf(*listed), warning));
  }
}

Status Warn(const Path& cert_folder, const std::vector<std::string>& names, std::int64_t now,
            std::vector<std::string>& warnings) {
  WarnOfCertificates(TRY(ListCertificates(cert_folder, now)), names, now, warnings);
  const auto list = TRY(LoadRevocationList(cert_folder));
  if (!list) return Ok();
  const std::string warning = ExpiryWarning(list->validity(), now);
  if (warning.empty()) return Ok();
  warnings.push_back(format("{}: the revocation list {}; what it names stays revoked",
                            RevocationFile(cert_folder).string(), warning));
  return Ok();
}

Error HintIfForbidden(Error error, const Path& list_file) {
  if (error.code() != ErrorCode::kPermissionDenied) return error;
  const std::string folder = list_file.parent_path().string();
  return std::move(error).Hint(
      format("the user this runs as must be able to enter {} and to read the list: chmod 711 {}, "
             "chmod 644 "
             "{} (private keys in it stay closed)",
             folder, folder, list_file.string()));
}

}  // namespace

std::string_view Name(CertificateState state) {
  switch (state) {
    case CertificateState::kValid:
      return "valid";
    case CertificateState::kEnding:
      return "expiring";
    case CertificateState::kExpired:
      return "expired";
    case CertificateState::kNotYet:
      return "not yet valid";
    case CertificateState::kRevoked:
      break;
  }
  return "revoked";
}

Result<std::optional<RevocationList>> LoadRevocationList(const Path& cert_folder) {
  const Path file = RevocationFile(cert_folder);
  // Exists would not do: what this user may not look at does not exist for it, and nobody would be
  // revoked.
  const auto size = FileSize(file);
  if (!size && size.error().code() == ErrorCode::kNotFound) return std::nullopt;
  if (!size) return Fail(HintIfForbidden(size.error(), file));
  const std::vector<Certificate> chain = TRY(LoadChain(ChainFile(cert_folder)));
  auto list = RevocationList::Load(file, chain);
  if (!list) return Fail(HintIfForbidden(list.error(), file));
  return *std::move(list);
}

Result<std::vector<ListedCertificate>> ListCertificates(const Path& cert_folder, std::int64_t now) {
  Inventory inventory(TRY(LoadRevocationList(cert_folder)), now);
  const Path chain_file = ChainFile(cert_folder);
  if (Exists(chain_file)) {
    for (const Certificate& authority : TRY(LoadChain(chain_file))) {
      inventory.Add(authority, "authority", chain_file);
    }
  }
  TRY(inventory.AddFolder(cert_folder / "server", "aggregator"));
  TRY(inventory.AddFolder(cert_folder / "client", "collaborator"));
  for (const IssuedEntry& entry : TRY(LoadIssued(IssuedFile(cert_folder)))) inventory.Add(entry);
  return std::move(inventory).Take();
}

std::vector<std::string> CertificateWarnings(const Path& cert_folder,
                                             const std::vector<std::string>& names,
                                             std::int64_t now) {
  std::vector<std::string> warnings;
  const Status done = Warn(cert_folder, names, now, warnings);
  if (!done) warnings.push_back(done.error().OneLine());
  return warnings;
}

}  // namespace fx
