// All certificates a workspace knows of: those in its files, and those its authority has issued.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "pki/certificate.h"
#include "pki/revocation_list.h"

namespace fx {

enum class CertificateState { kValid, kEnding, kExpired, kNotYet, kRevoked };

// "valid", "expiring", "expired", "not yet valid" or "revoked".
std::string_view Name(CertificateState state);

struct ListedCertificate {
  std::string name;    // the common name
  std::string role;    // "authority", "aggregator" or "collaborator"; "" if only the books know it
  std::string serial;  // hexadecimal
  Validity validity;   // from 0 if only the books know it
  CertificateState state;
  Path file;  // empty if only the books know it
};

// cert_chain.crt, server/*.crt, client/*.crt, and what else is in the authority's books; in that
// order. Refuses, by its name, a file that cannot be read.
Result<std::vector<ListedCertificate>> ListCertificates(const Path& cert_folder, std::int64_t now);

// The list that is in force in this workspace, checked against its chain; none if there is no file.
Result<std::optional<RevocationList>> LoadRevocationList(const Path& cert_folder);

// What of the certificates a workspace uses asks for attention within kWarnDays: sentences that
// begin with a file or a name. `names` are those whose certificates count: the aggregator's, and
// the collaborators'; authorities and the revocation list always do. A name counts by its newest
// certificate. A folder that cannot be read makes a sentence too.
std::vector<std::string> CertificateWarnings(const Path& cert_folder,
                                             const std::vector<std::string>& names,
                                             std::int64_t now);

}  // namespace fx
