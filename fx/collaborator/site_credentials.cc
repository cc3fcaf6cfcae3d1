#include "fx/collaborator/site_credentials.h"

#include <utility>

#include "core/base/log.h"
#include "pki/certificate.h"
#include "pki/chain.h"
#include "pki/expiry.h"
#include "pki/identity.h"

namespace fx {

std::vector<Path> CredentialFilesOf(const Path& cert_folder, const CollaboratorName& name) {
  const auto identity = Identity::Collaborator(name.value);
  if (!identity) return {};
  return {identity->File(cert_folder, ".crt"), identity->File(cert_folder, ".key"),
          ChainFile(cert_folder)};
}

SiteCredentials::SiteCredentials(std::vector<Path> files, std::function<Result<PemBundle>()> load)
    : files_(std::move(files)), load_(std::move(load)) {
  stamps_.Changed(files_);
}

std::optional<PemBundle> SiteCredentials::Renewed() {
  const std::lock_guard lock(mutex_);
  // What cannot be used is tried again each time: half of a pair may have been looked at.
  if (stamps_.Changed(files_) || !complaint_.empty()) ReadLocked();
  return std::exchange(fresh_, std::nullopt);
}

void SiteCredentials::Reread() {
  const std::lock_guard lock(mutex_);
  stamps_.Changed(files_);
  complaint_.clear();
  ReadLocked();
}

void SiteCredentials::ReadLocked() {
  auto bundle = load_();
  if (!bundle) {
    const Error& error = bundle.error();
    if (std::exchange(complaint_, error.OneLine()) == error.OneLine()) return;
    LogError("the new certificate cannot be used; the one before is in use",
             {{"reason", error.OneLine()}, {"hint", error.hint()}});
    return;
  }
  complaint_.clear();
  if (const auto certificate = Certificate::FromPem(bundle->certificate, "certificate")) {
    LogInfo("this site's certificate is in use from the next call on",
            {{"serial", certificate->Serial()}, {"until", UtcText(certificate->validity().to)}});
  }
  fresh_ = *std::move(bundle);
}

}  // namespace fx
