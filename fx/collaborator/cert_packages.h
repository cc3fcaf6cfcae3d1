// The two zip archives that travel between a collaborator and whoever signs its certificate.
//
//   col_<name>_to_agg_cert_request.zip    col_<name>.csr
//   agg_to_col_<name>_signed_cert.zip     client/col_<name>.crt, cert_chain.crt
#pragma once

#include <string>

#include "core/base/error.h"
#include "core/base/file.h"
#include "pki/certificate.h"
#include "pki/identity.h"
#include "pki/signing_request.h"

namespace fx {

Path RequestPackageFile(const Identity& identity);
Path SignedPackageFile(const Identity& identity);

struct RequestPackage {
  Identity identity;  // from the name of the file inside
  SigningRequest request;
};

Status WriteRequestPackage(const Identity& identity, const SigningRequest& request);
// Refuses a package with anything but one request, or whose request is for another name than its
// file says.
Result<RequestPackage> ReadRequestPackage(const Path& path);

struct SignedPackage {
  Identity identity;  // from the name of the file inside
  Certificate certificate;
  std::string chain;  // PEM
};

Status WriteSignedPackage(const Identity& identity, const Certificate& certificate,
                          const std::string& chain);
// Refuses a package with other files than the two, or whose certificate would not pass a handshake
// with those who trust its chain.
Result<SignedPackage> ReadSignedPackage(const Path& path);

}  // namespace fx
