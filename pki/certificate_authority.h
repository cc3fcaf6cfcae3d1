// The federation's own authority: a root, and under it the signing authority that issues the
// certificates of aggregator and collaborators. Two, so that the root's key can be moved to a safe
// once the signing authority exists; signing never needs it.
//
//   cert/ca/root-ca.crt                        cert/ca/signing-ca.{csr,crt}
//   cert/ca/root-ca/private/root-ca.key        cert/ca/signing-ca/private/signing-ca.key
//   cert/ca/root-ca/db/*                       cert/ca/signing-ca/db/*
//   cert/cert_chain.crt                        root, then signing: what every site trusts
//
// db/<name>.db lists what was issued in the form of `openssl ca` (man openssl-ca, "The text
// database index file"), so that a revocation list can be made with it.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/error.h"
#include "core/base/file.h"
#include "pki/certificate.h"
#include "pki/identity.h"
#include "pki/private_key.h"
#include "pki/signing_request.h"

namespace fx {

std::int64_t UnixNow();

// A certificate issued at `now` holds for this long, from a little before `now`: the clock of
// another site may be late.
Validity LeafValidity(std::int64_t now);

// Holds a lock on cert/ca while it lives, so that two people signing at once cannot lose each
// other's entries.
class CertificateAuthority {
 public:
  // True if cert/ca is there, whole or not.
  static bool ExistsIn(const Path& cert_folder);

  // Makes the whole of cert/ca, then cert_chain.crt. Refuses if cert/ca exists: another authority
  // would make every certificate issued so far worthless. After a crash cert/ca is there whole or
  // not at all.
  static Result<CertificateAuthority> Create(const Path& cert_folder,
                                             KeyKind kind = kDefaultKeyKind);

  // Opens cert/ca and checks that its parts belong together. Writes cert_chain.crt if that is
  // missing; refuses one of another authority. The root's key may be absent.
  static Result<CertificateAuthority> Open(const Path& cert_folder);

  // Issues a certificate for `identity`, which the request must ask for. Nothing else of the
  // request but its public key is used. The validity is cut to that of the signing authority.
  Result<Certificate> Sign(const SigningRequest& request, const std::string& request_place,
                           const Identity& identity, Validity validity) const;

  const Certificate& root() const { return root_; }
  const Certificate& signing() const { return signing_; }
  std::string ChainPem() const { return root_.ToPem() + signing_.ToPem(); }

 private:
  CertificateAuthority(FileLock lock, Path cert_folder, Certificate root, Certificate signing,
                       PrivateKey key)
      : lock_(std::move(lock)),
        cert_folder_(std::move(cert_folder)),
        root_(std::move(root)),
        signing_(std::move(signing)),
        key_(std::move(key)) {}

  Status EnsureChainFile() const;
  Status RecordIssued(const Certificate& certificate) const;

  FileLock lock_;
  Path cert_folder_;
  Certificate root_;
  Certificate signing_;
  PrivateKey key_;
};

}  // namespace fx
