// The certificate folder of a workspace (./cert), in OpenFL's layout, and the checks before a
// process uses what is in it.
//
//   cert/cert_chain.crt                        root and signing CA, PEM
//   cert/server/agg_<fqdn>.{csr,crt,key}       the aggregator's
//   cert/client/col_<name>.{csr,crt,key}       a collaborator's
//   cert/ca/...                                the authority itself, on the machine that signs
//
// Names are lower-cased in file names. Private keys are 0600, their folders 0700.
#pragma once

#include <string>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"

namespace fx {

// What TLS needs, as PEM text. The key is wiped when the bundle dies.
struct PemBundle {
  std::string certificate;  // the leaf
  std::string private_key;
  std::string authorities;  // cert_chain.crt, or the bundle in its place
  std::string authorities_place = "our cert_chain.crt";  // what messages call them
  bool ecdsa = false;  // the leaf's key; decides whether TLS 1.3 can be demanded

  PemBundle() = default;
  PemBundle(PemBundle&&) noexcept = default;
  PemBundle& operator=(PemBundle&&) noexcept = default;
  ~PemBundle();
};

// Reads and checks the credentials of this process. Refuses, saying which file and what to do: a
// missing or unreadable file, a key that others can read, a key that does not belong to the
// certificate, a certificate that is expired or not yet valid, for another name, or signed by
// another authority than cert_chain.crt.
Result<PemBundle> LoadAggregatorCredentials(const Path& cert_folder, const std::string& fqdn);
// Of a collaborator, `ca_bundle` may be a PEM file of the authorities to believe the aggregator by,
// in place of cert_chain.crt: the roots and intermediates of an organisation's own PKI, and of as
// many as there are. Its own certificate may be of either.
Result<PemBundle> LoadCollaboratorCredentials(const Path& cert_folder, const CollaboratorName& name,
                                              const Path& ca_bundle = {});

}  // namespace fx
