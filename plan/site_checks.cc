#include "plan/site_checks.h"

#include "core/base/format.h"
#include "plan/read_aggregation.h"
#include "plan/sampling.h"

namespace fx {
namespace {

void CheckMinimumReporting(const Plan& plan, const YamlValue& document, Complaints& complaints) {
  const std::size_t sites = plan.authorized.size();
  const std::size_t waited_for = NumWanted(plan.sampling, sites);
  const std::size_t least = plan.stragglers.minimum_reporting;
  if (least <= waited_for) return;
  const YamlRef place = FindSetting(document, "straggler_handling_policy", "minimum_reporting");
  complaints.Add(place ? *place : document,
                 format("straggler_handling_policy.settings.minimum_reporting is {}, but of the {} "
                        "collaborators in cols.yaml a round waits for {}; expected at most as many",
                        least, sites, waited_for));
}

void CheckMinimum(const Plan& plan, const YamlValue& document, Complaints& complaints) {
  const std::size_t sites = plan.authorized.size();
  if (plan.sampling.minimum <= sites) return;
  const YamlRef place = FindSetting(document, "assigner", "minimum");
  complaints.Add(place ? *place : document,
                 format("assigner.settings.minimum is {}, but cols.yaml has {} collaborators; "
                        "expected at most as many",
                        plan.sampling.minimum, sites));
}

}  // namespace

void CheckSites(const Plan& plan, const YamlValue& document, Complaints& complaints) {
  if (plan.authorized.empty()) return;
  CheckMinimum(plan, document, complaints);
  CheckMinimumReporting(plan, document, complaints);
  CheckNumberOfSites(plan, document, complaints);
}

}  // namespace fx
