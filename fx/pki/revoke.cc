#include "fx/pki/revoke.h"

#include <algorithm>

#include "core/base/format.h"
#include "fx/certificates.h"
#include "fx/passphrase.h"
#include "fx/plan/named_plans.h"
#include "fx/workspace/marker.h"
#include "pki/chain.h"
#include "plan/cols_file.h"
#include "plan/load.h"

namespace fx {
namespace {

// What is to be taken back.
struct Chosen {
  std::vector<std::string> serials;       // from the authority's books
  std::vector<Certificate> certificates;  // from files
  bool before = false;                    // there are some that were revoked before
};

std::string UpperCase(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  std::erase(text, ':');
  return text;
}

// Refuses a certificate of another authority: our list could not name it.
Status CheckIsOurs(const CertificateAuthority& authority, const Certificate& certificate,
                   const Path& file) {
  if (certificate.IsSignedBy(authority.signing())) return Ok();
  return Fail(ErrorCode::kFailedPrecondition,
              format("{}: was signed by {}, not by the authority of this workspace, {}",
                     file.string(), certificate.DescribeIssuer(), authority.signing().Describe()));
}

class PkiRevoke : public Command {
 public:
  std::string_view noun() const override { return "pki"; }
  std::string_view verb() const override { return "revoke"; }
  std::string_view summary() const override {
    return "Take certificates back: their holder is cut off";
  }
  std::string_view example() const override { return "fx pki revoke hospital1"; }

  void Declare(Flags& flags) override {
    flags.Text("name", &name_,
               "Whose certificates, all of them; or the file of one certificate (.crt)");
    flags.Text("--serial", &serial_, "Only the certificate with this serial number");
    DeclarePassphrase(flags, &passphrase_file_);
  }

  Status Run(Io& io) override {
    TRY(RequireWorkspace("."));
    if (name_.empty() == serial_.empty()) {
      return Fail(Error(ErrorCode::kInvalidArgument,
                        "expected a name, the file of a certificate, or --serial NUMBER")
                      .Hint("fx pki list shows names and serial numbers"));
    }
    return In(Revoke(io), "cannot revoke " + (name_.empty() ? serial_ : name_));
  }

 private:
  Status Revoke(Io& io) const {
    const auto authority =
        TRY(CertificateAuthority::Open(kCertFolder, PassphraseFrom(passphrase_file_, io)));
    const Chosen chosen = name_.empty()             ? TRY(BySerial(authority))
                          : name_.ends_with(".crt") ? TRY(ByFile(authority))
                                                    : TRY(ByName(authority, io));
    const RevocationList list =
        TRY(authority.Revoke(chosen.serials, chosen.certificates, UnixNow()));
    std::vector<std::string> serials = chosen.serials;
    for (const Certificate& certificate : chosen.certificates) {
      serials.push_back(certificate.Serial());
    }
    for (const std::string& serial : serials) io.err << format("Revoked: {}\n", serial);
    if (serials.empty()) io.err << "All of them were revoked before.\n";
    SayWhatFollows(list, io);
    return Ok();
  }

  Result<Chosen> BySerial(const CertificateAuthority& authority) const {
    const std::string wanted = UpperCase(serial_);
    const std::vector<IssuedEntry> entries = TRY(authority.Issued());
    if (std::ranges::find(entries, wanted, &IssuedEntry::serial) != entries.end()) {
      return Chosen{.serials = {wanted}, .certificates = {}};
    }
    return Fail(Error(ErrorCode::kNotFound,
                      format("the authority of this workspace has issued no certificate with the "
                             "serial number {}",
                             Printable(wanted)))
                    .Hint("fx pki list shows the serial numbers"));
  }

  Result<Chosen> ByFile(const CertificateAuthority& authority) const {
    const Certificate certificate = TRY(Certificate::Load(name_));
    TRY(CheckIsOurs(authority, certificate, name_));
    return Chosen{.serials = {}, .certificates = {certificate}};
  }

  Result<Chosen> ByName(const CertificateAuthority& authority, Io& io) const {
    const Identity aggregator = TRY(Identity::Aggregator(name_));
    Chosen chosen;
    for (const IssuedEntry& entry : TRY(authority.Issued())) {
      const bool expired = SecondsOf(entry.expiry) < UnixNow();
      if (entry.CommonName() != aggregator.name() || expired) continue;
      if (entry.is_revoked()) {
        chosen.before = true;
      } else {
        chosen.serials.push_back(entry.serial);
      }
    }
    std::vector<Path> files = {aggregator.File(kCertFolder, ".crt")};
    if (const auto collaborator = Identity::Collaborator(name_)) {
      files.push_back(collaborator->File(kCertFolder, ".crt"));
    }
    for (const Path& file : files) TRY(AddFile(authority, file, chosen, io));
    if (!chosen.serials.empty() || !chosen.certificates.empty() || chosen.before) return chosen;
    return Fail(Error(ErrorCode::kNotFound,
                      format("there is no certificate of \"{}\" here that has not expired",
                             aggregator.name()))
                    .Hint("fx pki list shows the names; a certificate that was issued elsewhere "
                          "can be named by its file: fx pki revoke FILE.crt"));
  }

  // One that OpenFL issued is not in the books. A damaged file must not keep what is in them from
  // being taken back.
  static Status AddFile(const CertificateAuthority& authority, const Path& file, Chosen& chosen,
                        Io& io) {
    if (!Exists(file)) return Ok();
    const auto certificate = Certificate::Load(file);
    if (!certificate && chosen.serials.empty() && !chosen.before) return Fail(certificate.error());
    if (!certificate) {
      io.err << format("Warning: left out, for it cannot be read: {}\n",
                       certificate.error().OneLine());
      return Ok();
    }
    const std::vector<IssuedEntry> entries = TRY(authority.Issued());
    const bool known =
        std::ranges::find(entries, certificate->Serial(), &IssuedEntry::serial) != entries.end();
    if (!known && certificate->IsSignedBy(authority.signing())) {
      chosen.certificates.push_back(*certificate);
    }
    return Ok();
  }

  void SayWhatFollows(const RevocationList& list, Io& io) const {
    const std::string file = RevocationFile(kCertFolder).string();
    io.err << format(
        "Revocation list number {}: {}\nAn aggregator that runs here takes notice within seconds; "
        "to one that runs elsewhere, copy the list as {} of its workspace.\n",
        list.number(), file, file);
    const auto listed = LoadColsFile(kColsFile);
    const auto identity = Identity::Collaborator(name_);
    if (!listed || !identity) return;
    const std::string& name = identity->name();
    if (std::ranges::find(*listed, CollaboratorName{name}) != listed->end()) {
      io.err << format(
          "{} is still in {}: rounds wait for it as for any site that is silent. Remove the line "
          "and start the aggregator again if it is not to come back.\n",
          name, kColsFile);
    }
  }

  std::string name_;
  std::string serial_;
  std::string passphrase_file_;
};

}  // namespace

std::unique_ptr<Command> MakePkiRevoke() {
  return std::make_unique<PkiRevoke>();
}

}  // namespace fx
