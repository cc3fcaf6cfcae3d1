// Certificates and signing requests that strangers send: what is read is written back to what reads
// the same, and no name of theirs can move a terminal's cursor.
#include "pki/certificate.h"
#include "pki/signing_request.h"
#include "tests/fuzz/fuzz.h"

namespace fx::fuzz {
namespace {

void CheckCertificate(std::string_view input) {
  const auto certificate = Certificate::FromPem(input, "a certificate");
  if (!certificate) {
    FX_CHECK(IsPrintable(certificate.error().OneLine()));
    return;
  }
  FX_CHECK(IsPrintable(certificate->Describe()) && IsPrintable(certificate->DescribeIssuer()));
  FX_CHECK(IsPrintable(DescribeNames(*certificate)));
  static_cast<void>(certificate->validity());
  static_cast<void>(certificate->IsFor("localhost"));
  const std::string pem = certificate->ToPem();
  const auto again = Certificate::FromPem(pem, "the copy");
  FX_CHECK(again.has_value() && again->ToPem() == pem);
}

void CheckRequest(std::string_view input) {
  const auto request = SigningRequest::FromPem(std::string(input), "a request");
  if (!request) {
    FX_CHECK(IsPrintable(request.error().OneLine()));
    return;
  }
  FX_CHECK(request->pem() == input && request->Fingerprint().size() == 96);
  const Status is_for = request->CheckIsFor(*Identity::Collaborator("ann"), "a request");
  if (!is_for) FX_CHECK(IsPrintable(is_for.error().OneLine()));
}

}  // namespace

void Try(std::string_view input) {
  const MemoryBound bound(input, 128);
  CheckCertificate(input);
  CheckRequest(input);
}

}  // namespace fx::fuzz
