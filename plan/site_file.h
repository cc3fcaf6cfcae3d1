// Reads site.yaml: what a collaborator's own network and house rules ask of it. The plan is the
// federation's and the same for all; this file is the site's, and no other site ever sees it.
// docs/guides/behind-a-firewall.md has an example.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/proxy.h"
#include "plan/weekly_hours.h"

namespace fx {

struct SiteSettings {
  std::optional<Proxy> proxy{};        // with its password, if there is one
  bool without_proxy = false;          // `proxy: none`: whatever the environment says
  Path ca_bundle{};                    // whom to trust as the aggregator; empty: cert_chain.crt
  std::uint64_t bytes_per_second = 0;  // both ways together; 0: no limit
  WeeklyHours hours{};                 // local time
};

// A file that does not exist asks for nothing. The error lists every complaint at once, as LoadPlan
// does. A password comes from a file of its own that only its owner may read.
Result<SiteSettings> LoadSiteFile(const Path& path);

// "20 MB/s", "500 kB/s", "100 Mbit/s": bytes a second. Units are powers of 1000.
Result<std::uint64_t> ParseRate(std::string_view text);

}  // namespace fx
