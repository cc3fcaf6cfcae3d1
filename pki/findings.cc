#include "pki/findings.h"

#include <algorithm>
#include <optional>

#include "core/base/format.h"
#include "pki/certificate_authority.h"
#include "pki/chain.h"
#include "pki/expiry.h"
#include "pki/inventory.h"

namespace fx {
namespace {

bool StatesAUse(const Certificate& leaf) {
  return (X509_get_extension_flags(leaf.get()) & EXFLAG_XKUSAGE) != 0;
}

// By extended key usage; without any (OpenFL's), by the folder.
Role RoleOf(const Certificate& leaf, const Path& file) {
  const bool by_folder = file.parent_path().filename() == "server";
  if (!StatesAUse(leaf)) return by_folder ? Role::kAggregator : Role::kCollaborator;
  const bool server = (X509_get_extended_key_usage(leaf.get()) & XKU_SSL_SERVER) != 0;
  const bool client = (X509_get_extended_key_usage(leaf.get()) & XKU_SSL_CLIENT) != 0;
  if (server && client) return by_folder ? Role::kAggregator : Role::kCollaborator;
  return server ? Role::kAggregator : Role::kCollaborator;
}

// Where the layout names the file for somebody: "hospital1" for client/col_hospital1.crt.
std::string NameOfFile(const Path& file) {
  const std::string stem = file.stem().string();
  return stem.starts_with("agg_") || stem.starts_with("col_") ? stem.substr(4) : "";
}

class Inspector {
 public:
  Inspector(const Path& cert_folder, std::int64_t now) : folder_(cert_folder), now_(now) {
    auto chain = LoadChain(ChainFile(folder_));
    if (!chain) {
      Problem(chain.error().OneLine(),
              "an aggregator makes it with fx workspace certify; a collaborator gets it with its "
              "certificate: fx collaborator certify --import");
      return;
    }
    chain_ = *std::move(chain);
    LoadList();
  }

  void Chain() {
    for (const Certificate& authority : chain_) {
      Dates(authority.validity(),
            format("{}: the authority {}", ChainFile(folder_).string(), authority.Describe()),
            "plan a new authority (docs/guides/certificates.md): every site will need a new "
            "certificate");
    }
  }

  void Leaf(const Path& file) {
    if (chain_.empty()) return;
    const auto leaf = Certificate::Load(file);
    if (!leaf) return Problem(leaf.error().OneLine(), RenewAdvice(file));
    Verify(*leaf, file);
    const Status strength = CheckPublicKey(X509_get0_pubkey(leaf->get()), file.string());
    if (!strength) Problem(strength.error().OneLine(), RenewAdvice(file));
    if (list_ && list_->Lists(*leaf)) Revoked(*leaf, file);
    const std::string name = NameOfFile(file);
    if (!name.empty() && leaf->CommonName() != name && !leaf->IsFor(name)) {
      Problem(format("{}: the certificate is for {}, not for \"{}\"", file.string(),
                     DescribeNames(*leaf), name),
              "the file belongs under another name, or was overwritten: " + RenewAdvice(file));
    }
    if (!StatesAUse(*leaf)) {
      Warning(format("{}: states no extended key usage, so it passes for aggregator and "
                     "collaborator alike (OpenFL issues such certificates)",
                     file.string()),
              RenewAdvice(file));
    }
    Key(*leaf, file);
  }

  // Modes; locked keys cannot be looked into.
  void PrivateKeys() {
    for (const char* const name : {"root-ca", "signing-ca"}) {
      Mode(folder_ / "ca" / name / "private" / (std::string(name) + ".key"));
    }
    for (const char* const place : {"server", "client"}) {
      for (const Path& file : In(place)) {
        if (file.extension() == ".key") Mode(file);
      }
    }
  }

  void Leaves() {
    for (const char* const place : {"server", "client"}) {
      for (const Path& file : In(place)) {
        if (file.extension() == ".crt") Leaf(file);
      }
    }
  }

  void Books() {
    const auto entries = LoadIssued(IssuedFile(folder_));
    if (!entries) return Problem(entries.error().OneLine(), "restore the file from a backup");
    for (const IssuedEntry& entry : Unlisted(*entries, list_)) {
      Problem(format("{}: does not name the certificate {} of {}, which the authority's books say "
                     "was revoked",
                     RevocationFile(folder_).string(), entry.serial, Printable(entry.CommonName())),
              "sign the list anew: fx pki renew --crl");
    }
  }

  std::vector<Finding> Take() && { return std::move(findings_); }

 private:
  void Problem(std::string what, std::string advice) {
    findings_.push_back({.problem = true, .what = std::move(what), .advice = std::move(advice)});
  }
  void Warning(std::string what, std::string advice) {
    findings_.push_back({.problem = false, .what = std::move(what), .advice = std::move(advice)});
  }

  // Where no key lies beside it, it is somebody else's: the authority's copy.
  void Revoked(const Certificate& leaf, const Path& file) {
    std::string what = format("{}: the certificate of {} (serial {}) was revoked", file.string(),
                              leaf.Describe(), leaf.Serial());
    if (Exists(Path(file).replace_extension(".key"))) {
      Problem(std::move(what), "get a new one: " + RenewAdvice(file));
    } else {
      Warning(std::move(what), "nothing, if that was meant; else " + RenewAdvice(file));
    }
  }

  void LoadList() {
    const Path file = RevocationFile(folder_);
    auto list = LoadRevocationList(folder_);
    const std::string renew = "sign it anew where the authority is: fx pki renew --crl";
    if (!list) {
      const std::string& hint = list.error().hint();
      return Problem(list.error().OneLine(), hint.empty() ? renew : hint);
    }
    list_ = *std::move(list);
    const std::string ending = list_ ? ExpiryWarning(list_->validity(), now_) : "";
    if (ending.empty()) return;
    Warning(
        format("{}: the revocation list {}; what it names stays revoked", file.string(), ending),
        renew);
  }

  void Dates(const Validity& validity, const std::string& what, const std::string& advice) {
    const Freshness freshness = FreshnessOf(validity, now_);
    if (freshness == Freshness::kFresh) return;
    findings_.push_back({.problem = freshness != Freshness::kEnding,
                         .what = format("{} {}", what, ExpiryWarning(validity, now_)),
                         .advice = advice});
  }

  void Verify(const Certificate& leaf, const Path& file) {
    const Status verified = VerifyCertificate(leaf, file.string(), RoleOf(leaf, file), chain_,
                                              ChainFile(folder_).string());
    if (!verified) {
      const std::string& hint = verified.error().hint();
      return Problem(verified.error().OneLine(), hint.empty() ? RenewAdvice(file) : hint);
    }
    Dates(leaf.validity(), format("{}: the certificate of {}", file.string(), leaf.Describe()),
          RenewAdvice(file));
  }

  void Key(const Certificate& leaf, const Path& file) {
    const Path key_file = Path(file).replace_extension(".key");
    if (!Exists(key_file) || !CheckPrivate(key_file)) return;  // Mode says what is wrong
    const auto key = PrivateKey::Load(key_file);
    if (!key) return Problem(key.error().OneLine(), key.error().hint());
    if (leaf.Matches(*key)) return;
    Problem(format("{} and {} do not belong together: the certificate was made for another key",
                   file.string(), key_file.string()),
            RenewAdvice(file));
  }

  void Mode(const Path& key_file) {
    if (!Exists(key_file)) return;
    const Status is_private = CheckPrivate(key_file);
    if (!is_private) Problem(is_private.error().OneLine(), is_private.error().hint());
  }

  std::vector<Path> In(const char* place) const {
    auto files = Exists(folder_ / place) ? ListFolder(folder_ / place) : std::vector<Path>();
    return files ? *std::move(files) : std::vector<Path>();
  }

  static std::string RenewAdvice(const Path& file) {
    const std::string name = NameOfFile(file);
    return "fx pki renew" + (name.empty() ? "" : " " + name);
  }

  const Path folder_;
  const std::int64_t now_;
  std::vector<Certificate> chain_;
  std::optional<RevocationList> list_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> InspectFolder(const Path& cert_folder, std::int64_t now) {
  Inspector inspector(cert_folder, now);
  inspector.Chain();
  inspector.Leaves();
  inspector.PrivateKeys();
  inspector.Books();
  return std::move(inspector).Take();
}

std::vector<Finding> InspectFile(const Path& cert_folder, const Path& file, std::int64_t now) {
  Inspector inspector(cert_folder, now);
  inspector.Leaf(file);
  return std::move(inspector).Take();
}

}  // namespace fx
