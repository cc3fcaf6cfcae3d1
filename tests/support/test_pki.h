// A certificate authority and certificates for tests, good ones and bad ones, in the folder layout
// of a workspace.
//
//   TestPki pki;                                   // an authority in a folder of its own
//   pki.AddAggregator("localhost");
//   pki.AddCollaborator("alice", {.validity = kExpired});
//   LoadCollaboratorCredentials(pki.cert_folder(), {"alice"});
#pragma once

#include <optional>
#include <string>

#include "core/base/file.h"
#include "pki/cert_store.h"
#include "pki/certificate_authority.h"
#include "pki/identity.h"
#include "pki/private_key.h"

namespace fx::test {

enum class TestValidity { kToday, kExpired, kNotYet };

struct LeafOptions {
  TestValidity validity = TestValidity::kToday;
  KeyKind key = kDefaultKeyKind;
  // What the certificate is made for, if not for the name its files have.
  std::string other_name{};
};

// Every function here succeeds or aborts the test program: a broken test PKI is a bug.
class TestPki {
 public:
  explicit TestPki(KeyKind kind = kDefaultKeyKind);

  // Key, request and certificate as the verbs would make them.
  void AddAggregator(const std::string& fqdn, const LeafOptions& options = {});
  void AddCollaborator(const std::string& name, const LeafOptions& options = {});

  // Replaces cert_chain.crt: from now on loaded bundles trust the other authority, while their
  // certificates are of this one.
  void Trust(const TestPki& other);

  // What a process would load, unchecked, so that bad certificates come out too.
  PemBundle AggregatorBundle(const std::string& fqdn) const;
  PemBundle CollaboratorBundle(const std::string& name) const;

  const Path& cert_folder() const { return folder_.path(); }
  const CertificateAuthority& authority() const { return *authority_; }

 private:
  void Add(const Identity& files, const Identity& subject, const LeafOptions& options);
  PemBundle Bundle(const Identity& identity) const;

  TempDir folder_;
  std::optional<CertificateAuthority> authority_;
};

}  // namespace fx::test
