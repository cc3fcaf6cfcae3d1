// What a site's own network asks of the collaborator's verbs: site.yaml, and the environment's
// proxy.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/proxy.h"
#include "plan/plan.h"
#include "plan/site_file.h"

namespace fx {

inline constexpr const char* kSiteFile = "site.yaml";
inline constexpr const char* kSiteFileHelp =
    "This site's proxy, CA bundle, rate and hours, if it has any";

// site.yaml if it exists (`path` must, if it is another), and the proxy that leads to the
// aggregator: the file's, or with no word about one in it the environment's.
Result<SiteSettings> LoadSite(const Path& path, const NetworkSettings& network);

// The proxy that an environment names for connections to `host`: the first of grpc_proxy,
// https_proxy, HTTPS_PROXY and http_proxy that is not empty, as gRPC's own reader has it, unless
// no_grpc_proxy, no_proxy or NO_PROXY, likewise, lists the host, or it is this machine.
using Environment = std::function<std::optional<std::string>(const char* name)>;
// That of this process; what is empty is none.
std::optional<std::string> EnvironmentOfProcess(const char* name);
Result<std::optional<Proxy>> ProxyOfEnvironment(const Environment& environment,
                                                const std::string& host);

// Says in the log what is not as everywhere; never a password.
void LogSite(const SiteSettings& site);

}  // namespace fx
