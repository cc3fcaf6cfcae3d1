#include "rpc/convert.h"

#include <algorithm>

#include "core/base/format.h"

namespace fx {
namespace {

constexpr std::size_t kMaxQuoted = 80;
constexpr std::size_t kShortDigest = 8;

std::string Short(std::string_view digest) {
  if (digest.empty()) return "none";
  return Quoted(digest.substr(0, kShortDigest));
}

std::string Listed(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names) {
    if (text.find(Quoted(name)) != std::string::npos) continue;  // CN repeated as a SAN
    text += (text.empty() ? "" : ", ") + Quoted(name);
  }
  return text;
}

Status CheckCertificate(const std::string& sender, const CallerRules& rules,
                        std::span<const std::string> peer_names) {
  if (peer_names.empty()) {
    if (!rules.require_certificate) return Ok();
    return Fail(Error(ErrorCode::kUnauthenticated, "the caller showed no certificate")
                    .Hint("network.settings.tls must be true in the plan of both ends"));
  }
  if (std::ranges::find(peer_names, sender) != peer_names.end()) return Ok();
  return Fail(Error(ErrorCode::kPermissionDenied,
                    format("the certificate is for {}, but the sender says {}", Listed(peer_names),
                           Quoted(sender)))
                  .Hint("start the collaborator under the name its certificate was issued for, or "
                        "request one for this name: fx collaborator generate-cert-request"));
}

Status CheckPlan(const wire::Header& header, const FederationIdentity& ours) {
  if (header.plan_digest() != ours.plan_digest) {
    return Fail(Error(ErrorCode::kInvalidArgument,
                      format("your plan differs from the aggregator's (yours {}, theirs {})",
                             Short(header.plan_digest()), Short(ours.plan_digest)))
                    .Hint("export the workspace at the aggregator and import it again here"));
  }
  if (header.receiver() != ours.aggregator_uuid) {
    return Fail(ErrorCode::kInvalidArgument,
                format("the call is for aggregator {}, but this is {}", Quoted(header.receiver()),
                       Quoted(ours.aggregator_uuid)));
  }
  if (header.federation_uuid() != ours.federation_uuid) {
    return Fail(ErrorCode::kInvalidArgument,
                format("the call is for federation {}, but this is {}",
                       Quoted(header.federation_uuid()), Quoted(ours.federation_uuid)));
  }
  return Ok();
}

}  // namespace

wire::Header MakeHeader(const FederationIdentity& identity, const CollaboratorName& sender) {
  wire::Header header;
  header.set_sender(sender.value);
  header.set_receiver(identity.aggregator_uuid);
  header.set_federation_uuid(identity.federation_uuid);
  header.set_plan_digest(identity.plan_digest);
  return header;
}

Result<CollaboratorName> CheckHeader(const wire::Header& header, const CallerRules& rules,
                                     std::span<const std::string> peer_names) {
  TRY(CheckCertificate(header.sender(), rules, peer_names));
  CollaboratorName sender{header.sender()};
  if (!rules.authorized.contains(sender)) {
    return Fail(Error(ErrorCode::kPermissionDenied,
                      format("{} is not in plan/cols.yaml of the aggregator", Quoted(sender.value)))
                    .Hint("certify it there: fx collaborator certify; or, if it was taken off, let "
                          "it back in there: fx aggregator add -n NAME"));
  }
  TRY(CheckPlan(header, rules.identity));
  return sender;
}

std::string Printable(std::string_view text, std::size_t most) {
  std::string printable(text.substr(0, most));
  std::ranges::replace_if(
      printable, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return printable;
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text.substr(0, kMaxQuoted)) {
    const auto byte = static_cast<unsigned char>(c);
    quoted += byte < 0x20 || byte == 0x7f || c == '"' ? '?' : c;
  }
  if (text.size() > kMaxQuoted) quoted += "...";
  return quoted + '"';
}

}  // namespace fx
