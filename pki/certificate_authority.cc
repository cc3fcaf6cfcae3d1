#include "pki/certificate_authority.h"

#include <openssl/pem.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <system_error>

#include "core/base/format.h"
#include "core/base/replace_file.h"
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
Path DatabaseFile(const Path& ca, const std::string& name, const char* extension = ".db") {
  return ca / name / "db" / (name + extension);
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
  const auto beside = [&](const char* extension) { return DatabaseFile(ca, name, extension); };
  TRY(AtomicWrite(file, ""));
  TRY(AtomicWrite(beside(".db.attr"), "unique_subject = no\n"));
  TRY(AtomicWrite(beside(".crt.srl"), "01\n"));
  return AtomicWrite(beside(".crl.srl"), "01\n");
}

Status WriteAuthority(const Path& ca, const std::string& name, const PrivateKey& key,
                      const SecretText* passphrase, const Certificate& certificate) {
  const Path key_file = KeyFile(ca, name);
  TRY(MakeFolders(key_file.parent_path(), 0700));
  TRY(key.Save(key_file, passphrase));
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
Status BuildIn(const Path& ca, KeyKind kind, const SecretText* passphrase) {
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
  TRY(WriteAuthority(ca, kRoot, root_key, passphrase, root));
  const std::string request = TRY(AuthorityRequestPem(signing_key, signing_name.get()));
  TRY(AtomicWrite(ca / "signing-ca.csr", request));
  return WriteAuthority(ca, kSigning, signing_key, passphrase, signing);
}

Status RemoveFolder(const Path& folder) {
  std::error_code ec;
  std::filesystem::remove_all(folder, ec);
  if (ec) return Fail(ErrorCode::kInternal, format("{}: {}", folder.string(), ec.message()));
  return Ok();
}

// The numbers of lists are kept as openssl ca does: the next one, in hexadecimal.
Result<std::int64_t> NextListNumber(const Path& file) {
  if (!Exists(file)) return 1;
  const std::string text = TRY(ReadFile(file, 1 << 10));
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error == std::errc() && number > 0) return number;
  return Fail(ErrorCode::kDataLoss,
              format("{}: expected the number of the next revocation list in hexadecimal, found "
                     "\"{}\"",
                     file.string(), Printable(text)));
}

// Numbers never go back, whatever became of the file that counts.
Result<std::int64_t> NumberAfter(const Path& list_file, const Certificate& issuer) {
  if (!Exists(list_file)) return 1;
  const auto list = RevocationList::Load(list_file, {issuer});
  return list ? list->number() + 1 : 1;
}

}  // namespace

Validity LeafValidity(std::int64_t now) {
  return ValidFor(kLeafDays, now);
}

bool CertificateAuthority::ExistsIn(const Path& cert_folder) {
  // The folder alone may hold nothing but a copy of the revocation list.
  const Path ca = CaFolder(cert_folder);
  return Exists(ca / kSigning) || Exists(CertificateFile(ca, kSigning)) ||
         Exists(CertificateFile(ca, kRoot));
}

Status CertificateAuthority::RequireIn(const Path& cert_folder) {
  if (ExistsIn(cert_folder)) return Ok();
  return Fail(Error(ErrorCode::kNotFound, format("{}: there is no authority in this workspace",
                                                 CaFolder(cert_folder).string()))
                  .Hint("on the aggregator, run: fx workspace certify"));
}

Result<CertificateAuthority> CertificateAuthority::Create(const Path& cert_folder, KeyKind kind,
                                                          const SecretText* passphrase) {
  if (Exists(CaFolder(cert_folder))) {
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
  TRY(BuildIn(partial, kind, passphrase));
  TRY(RenameDurably(partial, CaFolder(cert_folder)));
  return Open(cert_folder, [&](const std::string&) -> Result<SecretText> {
    return SecretText(std::string(passphrase->value()));
  });
}

Result<CertificateAuthority> CertificateAuthority::Open(const Path& cert_folder,
                                                        const Passphrase& passphrase) {
  const Path ca = CaFolder(cert_folder);
  TRY(RequireIn(cert_folder));
  Certificate root = TRY(Certificate::Load(CertificateFile(ca, kRoot)));
  Certificate signing = TRY(Certificate::Load(CertificateFile(ca, kSigning)));
  const Path key_file = KeyFile(ca, kSigning);
  PrivateKey key = TRY(PrivateKey::Load(key_file, passphrase));
  if (!signing.Matches(key)) {
    return Fail(ErrorCode::kFailedPrecondition, format("{}: not the key of {}", key_file.string(),
                                                       CertificateFile(ca, kSigning).string()));
  }
  // Not before somebody has typed the passphrase: a revocation may be waiting.
  FileLock lock = TRY(FileLock::Acquire(LockFile(cert_folder)));
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
  const X509NamePtr subject(X509_NAME_new());
  AddEntry(subject.get(), NID_commonName, identity.name());
  Certificate certificate = TRY(Issue({.subject = subject.get(),
                                       .public_key = key,
                                       .issuer = &signing_,
                                       .issuer_key = key_,
                                       .validity = validity,
                                       .extensions = LeafExtensions(identity, key)}));
  TRY(RecordIssued(certificate));
  return certificate;
}

Result<std::vector<IssuedEntry>> CertificateAuthority::Issued() const {
  return LoadIssued(IssuedFile(cert_folder_));
}

Status CertificateAuthority::RecordIssued(const Certificate& certificate) const {
  const Path file = IssuedFile(cert_folder_);
  std::vector<IssuedEntry> entries = TRY(Issued());
  entries.push_back(EntryOf(certificate));
  TRY(MakeFolders(file.parent_path()));
  return SaveIssued(file, entries);
}

Result<RevocationList> CertificateAuthority::Revoke(const std::vector<std::string>& serials,
                                                    const std::vector<Certificate>& also,
                                                    std::int64_t now) const {
  std::vector<IssuedEntry> entries = TRY(Issued());
  std::set<std::string> wanted(serials.begin(), serials.end());
  for (const Certificate& certificate : also) {
    const std::string serial = certificate.Serial();
    const bool known = std::ranges::find(entries, serial, &IssuedEntry::serial) != entries.end();
    if (!known) entries.push_back(EntryOf(certificate));
    wanted.insert(serial);
  }
  for (IssuedEntry& entry : entries) {
    if (!wanted.contains(entry.serial) || entry.is_revoked()) continue;
    entry.flag = 'R';
    entry.revoked = Asn1TimeText(now);
  }
  const Path file = IssuedFile(cert_folder_);
  TRY(MakeFolders(file.parent_path()));
  TRY(SaveIssued(file, entries));
  return SignList(entries, now);
}

Result<RevocationList> CertificateAuthority::SignList(const std::vector<IssuedEntry>& entries,
                                                      std::int64_t now) const {
  const Path counter = DatabaseFile(CaFolder(cert_folder_), kSigning, ".crl.srl");
  const Path file = RevocationFile(cert_folder_);
  const std::int64_t number =
      std::max(TRY(NextListNumber(counter)), TRY(NumberAfter(file, signing_)));
  RevocationList list =
      TRY(RevocationList::Issue(signing_, key_, number, ValidFor(kLeafDays, now), entries));
  TRY(ReplaceFile(counter, format("{:02X}\n", number + 1)));
  TRY(ReplaceFile(file, list.ToPem()));
  return list;
}

}  // namespace fx
