#include "pki/key_pair.h"

#include "core/base/format.h"
#include "core/base/replace_file.h"

namespace fx {
namespace {

Path NextCertificateFile(const Path& cert_folder, const Identity& identity) {
  return identity.File(cert_folder, ".crt.new");
}

Result<bool> IsKeyOf(const Path& key_file, const Certificate& certificate) {
  if (!Exists(key_file)) return false;
  return certificate.Matches(TRY(PrivateKey::Load(key_file)));
}

}  // namespace

Path NextKeyFile(const Path& cert_folder, const Identity& identity) {
  return identity.File(cert_folder, ".key.new");
}

Result<PrivateKey> KeyFor(const Path& cert_folder, const Identity& identity,
                          const Certificate& certificate) {
  const Path key_file = identity.File(cert_folder, ".key");
  const Path next_file = NextKeyFile(cert_folder, identity);
  for (const Path& file : {key_file, next_file}) {
    if (TRY(IsKeyOf(file, certificate))) return PrivateKey::Load(file);
  }
  if (!Exists(key_file) && !Exists(next_file)) {
    const bool server = identity.role() == Role::kAggregator;
    return Fail(
        Error(ErrorCode::kNotFound,
              format("{}: the private key of this certificate is not here", key_file.string()))
            .Hint(format("import it where fx {} generate-cert-request {} {} was run",
                         Name(identity.role()), server ? "--fqdn" : "-n", identity.name())));
  }
  return Fail(
      Error(ErrorCode::kUnauthenticated,
            format("the certificate was made for another key than {}", key_file.string()))
          .Hint("the key was made anew after the request was sent; send the request again"));
}

Status InstallCertificate(const Path& cert_folder, const Identity& identity,
                          const Certificate& certificate) {
  const PrivateKey key = TRY(KeyFor(cert_folder, identity, certificate));
  const Path certificate_file = identity.File(cert_folder, ".crt");
  if (TRY(IsKeyOf(identity.File(cert_folder, ".key"), certificate))) {
    TRY(ReplaceFile(certificate_file, certificate.ToPem()));
    return RemoveIfExists(NextCertificateFile(cert_folder, identity));  // FinishInstall: not again
  }
  TRY(AtomicWrite(NextCertificateFile(cert_folder, identity), certificate.ToPem()));
  return FinishInstall(cert_folder, identity);
}

Status FinishInstall(const Path& cert_folder, const Identity& identity) {
  const Path next_certificate = NextCertificateFile(cert_folder, identity);
  if (!Exists(next_certificate)) return Ok();
  const Path key_file = identity.File(cert_folder, ".key");
  const Path next_key = NextKeyFile(cert_folder, identity);
  const Certificate certificate = TRY(Certificate::Load(next_certificate));
  const bool key_waits = TRY(IsKeyOf(next_key, certificate));
  if (key_waits) TRY(ReplaceBy(next_key, key_file));
  if (TRY(IsKeyOf(key_file, certificate))) {
    return ReplaceBy(next_certificate, identity.File(cert_folder, ".crt"));
  }
  return RemoveIfExists(next_certificate);  // of a key that is gone: nobody can use it
}

}  // namespace fx
