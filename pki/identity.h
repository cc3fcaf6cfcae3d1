// Who a certificate speaks for, and where its files lie in the certificate folder.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

enum class Role { kAggregator, kCollaborator };

// "aggregator" or "collaborator".
std::string_view Name(Role role);

// A checked name in lower case. It becomes part of file names, of cols.yaml and of certificates, so
// only names that are harmless in all three exist: letters, digits, '.', '-' and '_', starting with
// a letter or digit, no "..", at most 64 characters (a common name's limit: RFC 5280, appendix
// A.1). An aggregator may also be an IPv4 or IPv6 address.
class Identity {
 public:
  static Result<Identity> Aggregator(std::string_view fqdn);
  static Result<Identity> Collaborator(std::string_view text);

  Role role() const { return role_; }
  const std::string& name() const { return name_; }
  bool is_ip_address() const { return is_ip_address_; }

  // "agg_<name>" or "col_<name>".
  std::string FileStem() const;
  // <cert_folder>/server/agg_<name><extension> or <cert_folder>/client/col_<name><extension>.
  Path File(const Path& cert_folder, std::string_view extension) const;

 private:
  Identity(Role role, std::string name, bool is_ip_address)
      : role_(role), name_(std::move(name)), is_ip_address_(is_ip_address) {}
  Role role_;
  std::string name_;
  bool is_ip_address_;
};

// <cert_folder>/cert_chain.crt
Path ChainFile(const Path& cert_folder);

}  // namespace fx
