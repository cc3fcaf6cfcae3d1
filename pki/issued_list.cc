#include "pki/issued_list.h"

#include <array>
#include <cctype>
#include <ctime>

#include "core/base/format.h"

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

int TwoDigits(std::string_view text, std::size_t at) {
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

}  // namespace

std::string IssuedEntry::CommonName() const {
  const std::size_t at = subject.rfind("/CN=");
  if (at == std::string::npos) return "";
  const std::string name = subject.substr(at + 4);
  return name.substr(0, name.find('/'));
}

std::int64_t SecondsOf(std::string_view text) {
  const bool two_digit_year = text.size() == 13;
  if ((!two_digit_year && text.size() != 15) || text.back() != 'Z') return 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return 0;
  }
  const std::size_t month = two_digit_year ? 2 : 4;
  const int year = TwoDigits(text, 0);
  std::tm tm{};
  tm.tm_year =
      two_digit_year ? (year < 50 ? 100 + year : year) : year * 100 + TwoDigits(text, 2) - 1900;
  tm.tm_mon = TwoDigits(text, month) - 1;
  tm.tm_mday = TwoDigits(text, month + 2);
  tm.tm_hour = TwoDigits(text, month + 4);
  tm.tm_min = TwoDigits(text, month + 6);
  tm.tm_sec = TwoDigits(text, month + 8);
  return timegm(&tm);
}

std::string Asn1TimeText(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm tm{};
  gmtime_r(&time, &tm);
  std::array<char, 32> text{};
  constexpr int k2050 = 150;
  const std::size_t size = tm.tm_year < k2050
                               ? std::strftime(text.data(), text.size(), "%y%m%d%H%M%SZ", &tm)
                               : std::strftime(text.data(), text.size(), "%Y%m%d%H%M%SZ", &tm);
  return std::string(text.data(), size);
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
  return AtomicWrite(file, text);
}

}  // namespace fx
