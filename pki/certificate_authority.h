// The federation's own authority: a root, and under it the signing authority that issues the
// certificates of aggregator and collaborators. Two, so that the root's key can be moved to a safe
// once the signing authority exists; signing never needs it.
//
//   cert/ca/root-ca.crt                        cert/ca/signing-ca.{csr,crt}
//   cert/ca/root-ca/private/root-ca.key        cert/ca/signing-ca/private/signing-ca.key
//   cert/ca/root-ca/db/*                       cert/ca/signing-ca/db/*
//   cert/ca/signing-ca.crl                     what was revoked, if anything ever was
//   cert/cert_chain.crt                        root, then signing: what every site trusts
//
// db/<name>.db lists what was issued in the form of `openssl ca` (man openssl-ca, "The text
// database index file"), so that a revocation list can be made with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "pki/certificate.h"
#include "pki/expiry.h"
#include "pki/identity.h"
#include "pki/issued_list.h"
#include "pki/private_key.h"
#include "pki/revocation_list.h"
#include "pki/signing_request.h"

namespace fx {

// A certificate issued at `now` holds for this long, from a little before `now`: the clock of
// another site may be late.
Validity LeafValidity(std::int64_t now);

// Holds a lock on cert/ca while it lives, so that two people signing at once cannot lose each
// other's entries.
class CertificateAuthority {
 public:
  // True if cert/ca is there, whole or not.
  static bool ExistsIn(const Path& cert_folder);
  // Refuses, saying how to make one, if it is not.
  static Status RequireIn(const Path& cert_folder);

  // Makes the whole of cert/ca, then cert_chain.crt. Refuses if cert/ca exists: another authority
  // would make every certificate issued so far worthless. After a crash cert/ca is there whole or
  // not at all. Both keys are locked with the passphrase, if there is one.
  static Result<CertificateAuthority> Create(const Path& cert_folder,
                                             KeyKind kind = kDefaultKeyKind,
                                             const SecretText* passphrase = nullptr);

  // Opens cert/ca and checks that its parts belong together. Writes cert_chain.crt if that is
  // missing; refuses one of another authority. The root's key may be absent.
  static Result<CertificateAuthority> Open(const Path& cert_folder,
                                           const Passphrase& passphrase = {});

  // Issues a certificate for `identity`, which the request must ask for. Nothing else of the
  // request but its public key is used. The validity is cut to that of the signing authority.
  Result<Certificate> Sign(const SigningRequest& request, const std::string& request_place,
                           const Identity& identity, Validity validity) const;

  // What was issued from here, oldest first.
  Result<std::vector<IssuedEntry>> Issued() const;

  // Takes back the certificates with these serial numbers (what was taken back before stays so) and
  // signs the list anew: the books first, so that a second run after a crash ends what the first
  // began. `also` are certificates that need not be in the books, such as those OpenFL issued.
  // Without either it only renews the list.
  //
  // The list is due again after the longest time a certificate lives, so whatever an overdue list
  // names, or whatever was issued before it, has expired by itself.
  Result<RevocationList> Revoke(const std::vector<std::string>& serials,
                                const std::vector<Certificate>& also, std::int64_t now) const;

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
  Result<RevocationList> SignList(const std::vector<IssuedEntry>& entries, std::int64_t now) const;

  FileLock lock_;
  Path cert_folder_;
  Certificate root_;
  Certificate signing_;
  PrivateKey key_;
};

}  // namespace fx
