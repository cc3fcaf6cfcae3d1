// The header every request carries: how it is made, and how it is judged.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/names.h"
#include "rpc/aggregator.pb.h"

namespace fx {

namespace wire = federation::v1;

// Who and what the two ends must agree on before anything else; all of it follows from the plan.
struct FederationIdentity {
  std::string aggregator_uuid;
  std::string federation_uuid;
  std::string plan_digest;
};

wire::Header MakeHeader(const FederationIdentity& identity, const CollaboratorName& sender);

// What the aggregator demands of a caller. Without `require_certificate` a caller that shows none
// is believed.
struct CallerRules {
  FederationIdentity identity;
  std::set<CollaboratorName> authorized;
  bool require_certificate = true;
};

// Judges in this order: there is a certificate; the sender is one of its names (`peer_names`); the
// sender is authorised; the plan, the receiver and the federation are ours. Returns the sender.
// Refuses with kUnauthenticated, kPermissionDenied or, for another plan, kInvalidArgument.
Result<CollaboratorName> CheckHeader(const wire::Header& header, const CallerRules& rules,
                                     std::span<const std::string> peer_names);

// Why a task failed, as a collaborator says it, is at most so long.
inline constexpr std::size_t kMaxFailure = 1000;

// At most `most` characters of `text`; all but printable ASCII is replaced by question marks.
std::string Printable(std::string_view text, std::size_t most);

// Text of a stranger, fit for a message: in double quotes, control characters replaced, cut short.
std::string Quoted(std::string_view text);

}  // namespace fx
