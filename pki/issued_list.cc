#include "pki/issued_list.h"

#include <openssl/err.h>

#include <cctype>

#include "core/base/format.h"
#include "core/base/replace_file.h"

namespace fx {
namespace {

constexpr std::uint64_t kLargestFile = 64 << 20;
constexpr std::size_t kFields = 6;

std::vector<std::string> Split(std::string_view text, char at) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(at);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// Negative ones are against RFC 5280, but openssl ca issues them if told to.
bool IsSerial(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty()) return false;
  for (const char c : text) {
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return false;
  }
  return true;
}

// "", or when, and perhaps ",reason".
bool IsRevocation(std::string_view text) {
  return text.empty() || SecondsOf(text.substr(0, text.find(','))) != 0;
}

Result<IssuedEntry> Parse(std::string_view line, const std::string& place) {
  const std::vector<std::string> fields = Split(line, '\t');
  const bool right = fields.size() == kFields && fields[0].size() == 1 &&
                     std::string_view("VRE").find(fields[0][0]) != std::string_view::npos &&
                     SecondsOf(fields[1]) != 0 && IsSerial(fields[3]) &&
                     (fields[0] == "R") == !fields[2].empty() && IsRevocation(fields[2]);
  if (!right) {
    return Fail(ErrorCode::kDataLoss,
                format("{}: \"{}\" is not a line of openssl ca's index: flag V, R or E, expiry, "
                       "revocation, serial number, file and subject, with tabs between them",
                       place, Printable(line)));
  }
  return IssuedEntry{.flag = fields[0][0],
                     .expiry = fields[1],
                     .revoked = fields[2],
                     .serial = fields[3],
                     .file = fields[4],
                     .subject = fields[5]};
}

}  // namespace

std::string IssuedEntry::CommonName() const {
  const std::size_t at = subject.rfind("/CN=");
  if (at == std::string::npos) return "";
  const std::string name = subject.substr(at + 4);
  return name.substr(0, name.find('/'));
}

std::int64_t SecondsOf(std::string_view text) {
  const Asn1TimePtr time(ASN1_TIME_new());
  const bool right = ASN1_TIME_set_string_X509(time.get(), std::string(text).c_str()) == 1;
  ERR_clear_error();
  return right ? SecondsOf(time.get()) : 0;
}

std::string Asn1TimeText(std::int64_t seconds) {
  const Asn1TimePtr time = TimeOf(seconds);
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(time.get())),
          static_cast<std::size_t>(ASN1_STRING_length(time.get()))};
}

IssuedEntry EntryOf(const Certificate& certificate) {
  return {.flag = 'V',
          .expiry = Asn1TimeText(certificate.validity().to),
          .revoked = "",
          .serial = certificate.Serial(),
          .file = "unknown",
          .subject = "/CN=" + Printable(certificate.CommonName())};
}

Path IssuedFile(const Path& cert_folder) {
  return cert_folder / "ca" / "signing-ca" / "db" / "signing-ca.db";
}

Result<std::vector<IssuedEntry>> LoadIssued(const Path& file) {
  std::vector<IssuedEntry> entries;
  if (!Exists(file)) return entries;
  const std::string text = TRY(ReadFile(file, kLargestFile));
  std::size_t number = 0;
  for (const std::string& line : Split(text, '\n')) {
    ++number;
    if (!line.empty()) entries.push_back(TRY(Parse(line, format("{}:{}", file.string(), number))));
  }
  return entries;
}

Status SaveIssued(const Path& file, const std::vector<IssuedEntry>& entries) {
  std::string text;
  for (const IssuedEntry& entry : entries) {
    text += format("{}\t{}\t{}\t{}\t{}\t{}\n", entry.flag, entry.expiry, entry.revoked,
                   entry.serial, entry.file, entry.subject);
  }
  return ReplaceFile(file, text);
}

}  // namespace fx
