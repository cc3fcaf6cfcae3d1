// A private key and its certificate change together, though they are two files: both new ones are
// whole, beside the old ones, before either takes its place.
//
//   client/col_<name>.key.new    a key whose certificate has been asked for, or is about to change
//   client/col_<name>.crt.new    its certificate, about to change
#pragma once

#include <optional>

#include "core/base/error.h"
#include "core/base/file.h"
#include "pki/certificate.h"
#include "pki/identity.h"
#include "pki/private_key.h"

namespace fx {

Path NextKeyFile(const Path& cert_folder, const Identity& identity);

// The key `certificate` was made for: the one in use, or the one that waits for its certificate.
// Refuses a certificate that fits neither.
Result<PrivateKey> KeyFor(const Path& cert_folder, const Identity& identity,
                          const Certificate& certificate);

// Puts `certificate` and the key KeyFor finds in place.
Status InstallCertificate(const Path& cert_folder, const Identity& identity,
                          const Certificate& certificate);

// Ends what a crash in the middle of InstallCertificate left undone. Harmless otherwise.
Status FinishInstall(const Path& cert_folder, const Identity& identity);

}  // namespace fx
