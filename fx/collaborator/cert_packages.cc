#include "fx/collaborator/cert_packages.h"

#include <string_view>
#include <vector>

#include "core/base/format.h"
#include "fx/certificates.h"
#include "fx/workspace/archive.h"
#include "pki/chain.h"

namespace fx {
namespace {

constexpr std::uint64_t kLargestPackage = 4 << 20;
constexpr std::string_view kChainEntry = "cert_chain.crt";

// "x/col_alice.csr" with before "x/col_" and after ".csr" is "alice"; "" if it has another form.
std::string_view Between(std::string_view text, std::string_view before, std::string_view after) {
  if (text.size() < before.size() + after.size()) return "";
  if (!text.starts_with(before) || !text.ends_with(after)) return "";
  return text.substr(before.size(), text.size() - before.size() - after.size());
}

tl::unexpected<Error> WrongContents(const Path& path, const std::string& expected,
                                    const std::string& hint) {
  return Fail(Error(ErrorCode::kInvalidArgument, format("{}: expected {}", path.string(), expected))
                  .Hint(hint));
}

Result<std::vector<ArchiveEntry>> ReadFiles(const Path& path) {
  std::vector<ArchiveEntry> entries = TRY(ReadZip(path, kLargestPackage));
  std::erase_if(entries, [](const ArchiveEntry& entry) { return entry.folder; });
  return entries;
}

}  // namespace

Path RequestPackageFile(const Identity& identity) {
  return identity.FileStem() + "_to_agg_cert_request.zip";
}

Path SignedPackageFile(const Identity& identity) {
  return format("agg_to_{}_signed_cert.zip", identity.FileStem());
}

Status WriteRequestPackage(const Identity& identity, const SigningRequest& request) {
  const ArchiveEntry entry{
      .name = identity.FileStem() + ".csr", .bytes = request.pem(), .folder = false};
  return WriteZip(RequestPackageFile(identity), {entry});
}

Result<RequestPackage> ReadRequestPackage(const Path& path) {
  std::vector<ArchiveEntry> files = TRY(ReadFiles(path));
  const std::string_view name =
      files.size() == 1 ? Between(files.front().name, "col_", ".csr") : std::string_view();
  if (name.empty()) {
    return WrongContents(path, "one file in it, col_<name>.csr",
                         "take the archive that fx collaborator generate-cert-request made");
  }
  Identity identity = TRY(CollaboratorIdentity(std::string(name)));
  const std::string place = format("{}: {}", path.string(), files.front().name);
  SigningRequest request = TRY(SigningRequest::FromPem(std::move(files.front().bytes), place));
  TRY(request.CheckIsFor(identity, place));
  return RequestPackage{.identity = std::move(identity), .request = std::move(request)};
}

Status WriteSignedPackage(const Identity& identity, const Certificate& certificate,
                          const std::string& chain) {
  const std::string leaf = identity.File("", ".crt").string();
  return WriteZip(SignedPackageFile(identity),
                  {{.name = leaf, .bytes = certificate.ToPem(), .folder = false},
                   {.name = std::string(kChainEntry), .bytes = chain, .folder = false}});
}

Result<SignedPackage> ReadSignedPackage(const Path& path) {
  const std::vector<ArchiveEntry> files = TRY(ReadFiles(path));
  const ArchiveEntry* leaf = nullptr;
  const ArchiveEntry* chain = nullptr;
  for (const ArchiveEntry& file : files) {
    if (file.name == kChainEntry) chain = &file;
    if (!Between(file.name, "client/col_", ".crt").empty()) leaf = &file;
  }
  if (files.size() != 2 || leaf == nullptr || chain == nullptr) {
    return WrongContents(path, "two files in it, client/col_<name>.crt and cert_chain.crt",
                         "take the archive agg_to_col_<name>_signed_cert.zip that the aggregator's "
                         "fx collaborator certify made");
  }
  const std::string leaf_place = format("{}: {}", path.string(), leaf->name);
  const std::string chain_place = format("{}: {}", path.string(), chain->name);
  Identity identity =
      TRY(CollaboratorIdentity(std::string(Between(leaf->name, "client/col_", ".crt"))));
  Certificate certificate = TRY(Certificate::FromPem(leaf->bytes, leaf_place));
  const auto authorities = TRY(ChainFromPem(chain->bytes, chain_place));
  TRY(VerifyCertificate(certificate, leaf_place, Role::kCollaborator, authorities, chain_place));
  if (certificate.CommonName() != identity.name()) {
    return Fail(ErrorCode::kInvalidArgument,
                format("{}: the certificate is for {}, not for \"{}\"", leaf_place,
                       DescribeNames(certificate), identity.name()));
  }
  return SignedPackage{.identity = std::move(identity),
                       .certificate = std::move(certificate),
                       .chain = chain->bytes};
}

}  // namespace fx
