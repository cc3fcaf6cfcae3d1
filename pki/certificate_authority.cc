#include "pki/certificate_authority.h"

#include <openssl/bn.h>
#include <openssl/pem.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <system_error>

#include "core/base/format.h"
#include "pki/chain.h"
#include "pki/issue.h"

namespace fx {
namespace {

constexpr std::int64_t kDay = std::int64_t{24} * 3600;
constexpr std::int64_t kClockSkew = 3600;
constexpr std::int64_t kLeafDays = 365;
// Longer than the leaves', or a certificate issued late in the year would die with its issuer, and
// every site would need a new chain file instead of only a new certificate of its own.
constexpr std::int64_t kSigningDays = 5 * kLeafDays;
constexpr std::int64_t kRootDays = 10 * kLeafDays;

constexpr const char* kRoot = "root-ca";
constexpr const char* kSigning = "signing-ca";

Path CaFolder(const Path& cert_folder) {
  return cert_folder / "ca";
}
Path LockFile(const Path& cert_folder) {
  return CaFolder(cert_folder) / ".lock";
}
Path CertificateFile(const Path& ca, const std::string& name) {
  return ca / (name + ".crt");
}
Path KeyFile(const Path& ca, const std::string& name) {
  return ca / name / "private" / (name + ".key");
}
Path DatabaseFile(const Path& ca, const std::string& name) {
  return ca / name / "db" / (name + ".db");
}

Validity ValidFor(std::int64_t days, std::int64_t now) {
  return {.from = now - kClockSkew, .to = now + days * kDay};
}

void AddEntry(X509_NAME* name, int nid, const std::string& value) {
  FX_CHECK(X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(value.c_str()), -1, -1,
                                      0) == 1);
}

// The names OpenFL's authorities have.
X509NamePtr AuthorityName(const std::string& common_name) {
  X509NamePtr name(X509_NAME_new());
  FX_CHECK(name != nullptr);
  AddEntry(name.get(), NID_domainComponent, "org");
  AddEntry(name.get(), NID_domainComponent, "simple");
  AddEntry(name.get(), NID_commonName, common_name);
  AddEntry(name.get(), NID_organizationName, "Simple Inc");
  AddEntry(name.get(), NID_organizationalUnitName, common_name);
  return name;
}

Status WriteDatabase(const Path& ca, const std::string& name) {
  const Path file = DatabaseFile(ca, name);
  TRY(MakeFolders(file.parent_path()));
  const auto beside = [&](const char* extension) {
    return file.parent_path() / (name + extension);
  };
  TRY(AtomicWrite(file, ""));
  TRY(AtomicWrite(beside(".db.attr"), "unique_subject = no\n"));
  TRY(AtomicWrite(beside(".crt.srl"), "01\n"));
  return AtomicWrite(beside(".crl.srl"), "01\n");
}

Status WriteAuthority(const Path& ca, const std::string& name, const PrivateKey& key,
                      const Certificate& certificate) {
  const Path key_file = KeyFile(ca, name);
  TRY(MakeFolders(key_file.parent_path(), 0700));
  TRY(key.Save(key_file));
  TRY(WriteDatabase(ca, name));
  return AtomicWrite(CertificateFile(ca, name), certificate.ToPem());
}

Result<std::string> AuthorityRequestPem(const PrivateKey& key, const X509_NAME* subject) {
  const X509ReqPtr request(X509_REQ_new());
  const BioPtr bio = WriteBio();
  if (X509_REQ_set_subject_name(request.get(), subject) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha384()) == 0 ||
      PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1) {
    return Fail(OpenSslError(ErrorCode::kInternal, "cannot make the signing authority's request"));
  }
  return BioText(bio.get());
}

// Everything of cert/ca, in a folder that does not have its final name yet.
Status BuildIn(const Path& ca, KeyKind kind) {
  const std::int64_t now = UnixNow();
  const PrivateKey root_key = TRY(PrivateKey::Generate(kind));
  const X509NamePtr root_name = AuthorityName("Simple Root CA");
  const Certificate root = TRY(Issue({.subject = root_name.get(),
                                      .public_key = root_key.get(),
                                      .issuer = nullptr,
                                      .issuer_key = root_key,
                                      .validity = ValidFor(kRootDays, now),
                                      .extensions = AuthorityExtensions(1)}));
  const PrivateKey signing_key = TRY(PrivateKey::Generate(kind));
  const X509NamePtr signing_name = AuthorityName("Simple Signing CA");
  const Certificate signing = TRY(Issue({.subject = signing_name.get(),
                                         .public_key = signing_key.get(),
                                         .issuer = &root,
                                         .issuer_key = root_key,
                                         .validity = ValidFor(kSigningDays, now),
                                         .extensions = AuthorityExtensions(0)}));
  TRY(WriteAuthority(ca, kRoot, root_key, root));
  const std::string request = TRY(AuthorityRequestPem(signing_key, signing_name.get()));
  TRY(AtomicWrite(ca / "signing-ca.csr", request));
  return WriteAuthority(ca, kSigning, signing_key, signing);
}

Status RemoveFolder(const Path& folder) {
  std::error_code ec;
  std::filesystem::remove_all(folder, ec);
  if (ec) return Fail(ErrorCode::kInternal, format("{}: {}", folder.string(), ec.message()));
  return Ok();
}

std::string SerialHex(const Certificate& certificate) {
  const BigNumPtr serial(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate.get()), nullptr));
  char* hex = BN_bn2hex(serial.get());
  std::string out = hex;
  OPENSSL_free(hex);
  return out;
}

// UTCTime to 2049, GeneralizedTime from 2050: the index file wants what the certificate holds.
std::string ExpiryField(const Certificate& certificate) {
  const ASN1_TIME* time = X509_get0_notAfter(certificate.get());
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(time)),
                     static_cast<std::size_t>(ASN1_STRING_length(time)));
}

}  // namespace

std::int64_t UnixNow() {
  return static_cast<std::int64_t>(std::time(nullptr));
}

Validity LeafValidity(std::int64_t now) {
  return ValidFor(kLeafDays, now);
}

bool CertificateAuthority::ExistsIn(const Path& cert_folder) {
  return Exists(CaFolder(cert_folder));
}

Result<CertificateAuthority> CertificateAuthority::Create(const Path& cert_folder, KeyKind kind) {
  if (ExistsIn(cert_folder)) {
    return Fail(
        Error(ErrorCode::kAlreadyExists,
              format("{} exists: this workspace has an authority", CaFolder(cert_folder).string()))
            .Hint("certificates it issued would become worthless; move the folder away "
                  "first if that is what you want"));
  }
  const Path partial = cert_folder / "ca.partial";
  TRY(RemoveFolder(partial));
  TRY(MakeFolders(cert_folder));
  TRY(MakeFolders(partial, 0700));
  TRY(BuildIn(partial, kind));
  TRY(RenameDurably(partial, CaFolder(cert_folder)));
  return Open(cert_folder);
}

Result<CertificateAuthority> CertificateAuthority::Open(const Path& cert_folder) {
  const Path ca = CaFolder(cert_folder);
  if (!Exists(ca)) {
    return Fail(Error(ErrorCode::kNotFound,
                      format("{}: there is no authority in this workspace", ca.string()))
                    .Hint("on the aggregator, run: fx workspace certify"));
  }
  FileLock lock = TRY(FileLock::Acquire(LockFile(cert_folder)));
  Certificate root = TRY(Certificate::Load(CertificateFile(ca, kRoot)));
  Certificate signing = TRY(Certificate::Load(CertificateFile(ca, kSigning)));
  const Path key_file = KeyFile(ca, kSigning);
  PrivateKey key = TRY(PrivateKey::Load(key_file));
  if (!signing.Matches(key)) {
    return Fail(ErrorCode::kFailedPrecondition, format("{}: not the key of {}", key_file.string(),
                                                       CertificateFile(ca, kSigning).string()));
  }
  CertificateAuthority authority(std::move(lock), cert_folder, std::move(root), std::move(signing),
                                 std::move(key));
  TRY(authority.EnsureChainFile());
  return authority;
}

Status CertificateAuthority::EnsureChainFile() const {
  const Path file = ChainFile(cert_folder_);
  if (!Exists(file)) return AtomicWrite(file, ChainPem());
  const std::vector<Certificate> chain = TRY(LoadChain(file));
  const bool ours = std::ranges::any_of(chain, [this](const Certificate& certificate) {
    return X509_cmp(certificate.get(), root_.get()) == 0;
  });
  if (ours) return Ok();
  return Fail(
      Error(ErrorCode::kFailedPrecondition,
            format("{}: is of {}, but the authority in {} is {}", file.string(),
                   chain.front().Describe(), CaFolder(cert_folder_).string(), root_.Describe()))
          .Hint("move away whichever of the two does not belong to this federation"));
}

Result<Certificate> CertificateAuthority::Sign(const SigningRequest& request,
                                               const std::string& request_place,
                                               const Identity& identity, Validity validity) const {
  TRY(request.CheckIsFor(identity, request_place));
  const Validity ours = signing_.validity();
  validity.to = std::min(validity.to, ours.to);
  if (ours.to < UnixNow()) {
    return Fail(ErrorCode::kFailedPrecondition, format("the signing authority {} expired on {}",
                                                       signing_.Describe(), UtcText(ours.to)));
  }
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  Certificate certificate = TRY(Issue({.subject = X509_REQ_get_subject_name(request.get()),
                                       .public_key = key,
                                       .issuer = &signing_,
                                       .issuer_key = key_,
                                       .validity = validity,
                                       .extensions = LeafExtensions(identity, key)}));
  TRY(RecordIssued(certificate));
  return certificate;
}

Status CertificateAuthority::RecordIssued(const Certificate& certificate) const {
  constexpr std::uint64_t kLargestDatabase = 64 << 20;
  const Path file = DatabaseFile(CaFolder(cert_folder_), kSigning);
  std::string text = Exists(file) ? TRY(ReadFile(file, kLargestDatabase)) : std::string();
  text += format("V\t{}\t\t{}\tunknown\t/CN={}\n", ExpiryField(certificate), SerialHex(certificate),
                 certificate.CommonName());
  TRY(MakeFolders(file.parent_path()));
  return AtomicWrite(file, text);
}

}  // namespace fx
