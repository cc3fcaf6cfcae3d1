#include "pki/identity.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "core/base/format.h"
#include "pki/openssl.h"

namespace fx {
namespace {

constexpr std::size_t kLongestCommonName = 64;

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool IsAllowed(char c) {
  return IsLetterOrDigit(c) || c == '.' || c == '-' || c == '_';
}

std::string LowerCase(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

bool IsIpAddress(const std::string& text) {
  std::array<unsigned char, 16> address{};
  return inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

// What is wrong with a name, as the end of a sentence; empty if nothing is.
std::string Complaint(const std::string& name) {
  if (name.empty()) return "is empty";
  if (name.size() > kLongestCommonName) {
    return format("has {} characters, a certificate holds at most {}", name.size(),
                  kLongestCommonName);
  }
  if (!std::ranges::all_of(name, IsAllowed)) {
    return "may only have letters, digits, '.', '-' and '_'";
  }
  if (!IsLetterOrDigit(name.front())) return "must start with a letter or a digit";
  if (name.find("..") != std::string::npos) return "must not have two dots in a row";
  return "";
}

Status CheckName(Role role, const std::string& name) {
  const std::string complaint = Complaint(name);
  if (complaint.empty()) return Ok();
  return Fail(ErrorCode::kInvalidArgument,
              format("the {} name \"{}\" {}", Name(role), Printable(name), complaint));
}

}  // namespace

std::string_view Name(Role role) {
  return role == Role::kAggregator ? "aggregator" : "collaborator";
}

Result<Identity> Identity::Aggregator(std::string_view fqdn) {
  std::string name = LowerCase(fqdn);
  const bool is_ip_address = name.find('\0') == std::string::npos && IsIpAddress(name);
  if (!is_ip_address) TRY(CheckName(Role::kAggregator, name));
  return Identity(Role::kAggregator, std::move(name), is_ip_address);
}

Result<Identity> Identity::Collaborator(std::string_view text) {
  std::string name = LowerCase(text);
  TRY(CheckName(Role::kCollaborator, name));
  return Identity(Role::kCollaborator, std::move(name), false);
}

std::string Identity::FileStem() const {
  return (role_ == Role::kAggregator ? "agg_" : "col_") + name_;
}

Path Identity::File(const Path& cert_folder, std::string_view extension) const {
  const Path folder = cert_folder / (role_ == Role::kAggregator ? "server" : "client");
  return folder / (FileStem() + std::string(extension));
}

Path ChainFile(const Path& cert_folder) {
  return cert_folder / "cert_chain.crt";
}

}  // namespace fx
