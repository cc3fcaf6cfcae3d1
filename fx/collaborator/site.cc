#include "fx/collaborator/site.h"

#include <array>
#include <cstdlib>
#include <utility>

#include "collaborator/site_limits.h"
#include "core/base/format.h"
#include "core/base/log.h"
#include "fx/collaborator/local_zone.h"

namespace fx {
namespace {

constexpr std::array kProxyNames{"grpc_proxy", "https_proxy", "HTTPS_PROXY", "http_proxy"};
constexpr std::array kExceptNames{"no_grpc_proxy", "no_proxy", "NO_PROXY"};
constexpr const char* kThisMachine = "localhost,127.0.0.1,::1";

template <std::size_t n>
std::optional<std::pair<std::string, std::string>> FirstOf(const std::array<const char*, n>& names,
                                                           const Environment& environment) {
  for (const char* const name : names) {
    if (auto value = environment(name)) return std::pair(std::string(name), *std::move(value));
  }
  return std::nullopt;
}

void LogHours(const WeeklyHours& hours) {
  LogInfo(
      "this site takes part at its hours",
      {{"hours", hours.text()}, {"now", collaborator::LocalTimeText(collaborator::RealWorld({}))}});
  if (const auto trouble = TroubleWithZone()) {
    LogWarning(trouble->what, {{"hint", trouble->advice}});
  }
}

}  // namespace

std::optional<std::string> EnvironmentOfProcess(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

Result<std::optional<Proxy>> ProxyOfEnvironment(const Environment& environment,
                                                const std::string& host) {
  const auto found = FirstOf(kProxyNames, environment);
  if (!found || GoesWithoutProxy(kThisMachine, host)) return std::nullopt;
  const auto except = FirstOf(kExceptNames, environment);
  if (except && GoesWithoutProxy(except->second, host)) return std::nullopt;
  const std::string origin = "the environment variable " + found->first;
  Proxy proxy = TRY(In(ParseProxy(found->second), "cannot use " + origin));
  proxy.origin = origin;
  return proxy;
}

Result<SiteSettings> LoadSite(const Path& path, const NetworkSettings& network) {
  if (path != kSiteFile && !Exists(path)) {
    return Fail(ErrorCode::kNotFound, path.string() + " does not exist");
  }
  SiteSettings site = TRY(LoadSiteFile(path));
  if (!site.proxy && !site.without_proxy) {
    site.proxy = TRY(ProxyOfEnvironment(EnvironmentOfProcess, network.agg_addr));
  }
  return site;
}

void LogSite(const SiteSettings& site) {
  if (site.proxy) {
    LogInfo("the aggregator is reached through a proxy",
            {{"proxy", site.proxy->Place()}, {"from", site.proxy->origin}});
  }
  if (site.bytes_per_second != 0) {
    LogInfo(
        "transfers are limited",
        {{"mb_per_second", format("{:.3f}", static_cast<double>(site.bytes_per_second) / 1e6)}});
  }
  if (!site.hours.always()) LogHours(site.hours);
}

}  // namespace fx
