// A certificate revocation list (RFC 5280, section 5): the serial numbers an authority has taken
// back, signed by it.
//
//   cert/ca/signing-ca.crl
//
// lies beside the authority. An aggregator whose authority is in another workspace is given a copy
// under the same name. No file means that nothing was ever revoked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "pki/certificate.h"
#include "pki/issued_list.h"
#include "pki/private_key.h"

namespace fx {

Path RevocationFile(const Path& cert_folder);

// Cheap to copy: the object behind it is immutable and counted.
class RevocationList {
 public:
  // The revoked ones among `entries`, as list number `number`, with AKI and CRL number (RFC 5280,
  // section 5.2). SHA-384.
  static Result<RevocationList> Issue(const Certificate& issuer, const PrivateKey& key,
                                      std::int64_t number, Validity validity,
                                      const std::vector<IssuedEntry>& entries);
  // Refuses a list that none of `issuers` signed. `place` names the text in errors.
  static Result<RevocationList> FromPem(std::string_view pem, const std::string& place,
                                        const std::vector<Certificate>& issuers);
  // The same, whoever signed it: only to be looked at.
  static Result<RevocationList> FromPemUnchecked(std::string_view pem, const std::string& place);
  static Result<RevocationList> Load(const Path& path, const std::vector<Certificate>& issuers);

  RevocationList(const RevocationList& other);
  RevocationList& operator=(const RevocationList& other);
  RevocationList(RevocationList&&) noexcept = default;
  RevocationList& operator=(RevocationList&&) noexcept = default;

  std::string ToPem() const;
  // Grows with every list of an authority; 0 if the list does not say.
  std::int64_t number() const;
  // When it was made, and when the next is due (the same moment if it does not say).
  Validity validity() const;
  std::size_t size() const;
  std::vector<std::string> Serials() const;
  // `certificate` is of the authority of this list, and taken back.
  bool Lists(const Certificate& certificate) const;
  bool IsSignedBy(const Certificate& issuer) const;
  X509_CRL* get() const { return crl_.get(); }

 private:
  explicit RevocationList(X509CrlPtr crl) : crl_(std::move(crl)) {}
  X509CrlPtr crl_;
};

// The revoked ones among `entries` that `list` does not name: without a list all of them.
std::vector<IssuedEntry> Unlisted(const std::vector<IssuedEntry>& entries,
                                  const std::optional<RevocationList>& list);

}  // namespace fx
