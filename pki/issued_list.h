// The authority's books: what it issued and what it revoked, one certificate a line, in the form of
// `openssl ca` (man openssl-ca, "The text database index file"; the fields are those of
// apps/include/apps.h, DB_type to DB_name):
//
//   V <tab> expiry <tab> <tab> serial <tab> file <tab> subject
//   R <tab> expiry <tab> revocation[,reason] <tab> serial <tab> file <tab> subject
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "pki/certificate.h"

namespace fx {

struct IssuedEntry {
  char flag = 'V';      // V valid, R revoked, E noted as expired
  std::string expiry;   // as in the certificate: YYMMDDHHMMSSZ to 2049, then YYYYMMDDHHMMSSZ
  std::string revoked;  // the same form and perhaps ",reason"; empty unless R
  std::string serial;   // hexadecimal, upper case, an even number of digits
  std::string file;     // "unknown"
  std::string subject;  // "/CN=hospital1"

  bool is_revoked() const { return flag == 'R'; }
  // What follows the last "/CN=" of the subject; "" if nothing does.
  std::string CommonName() const;
};

// 0 if it is not in one of the two forms.
std::int64_t SecondsOf(std::string_view asn1_time);
// YYMMDDHHMMSSZ to 2049, then YYYYMMDDHHMMSSZ (RFC 5280, section 4.1.2.5).
std::string Asn1TimeText(std::int64_t seconds);

IssuedEntry EntryOf(const Certificate& certificate);

// <cert_folder>/ca/signing-ca/db/signing-ca.db
Path IssuedFile(const Path& cert_folder);

// A missing file is an empty list. Refuses, with its number, a line of another form.
Result<std::vector<IssuedEntry>> LoadIssued(const Path& file);
Status SaveIssued(const Path& file, const std::vector<IssuedEntry>& entries);

}  // namespace fx
