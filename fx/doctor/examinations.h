// The single examinations of fx doctor. Each adds what it found to the list, and changes nothing.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/base/file.h"
#include "core/base/names.h"
#include "fx/checks/check_list.h"
#include "plan/plan.h"

namespace fx {

// Files that were changed after `now` mean that the clock is slow.
void ExamineClock(const Path& plan_file, std::int64_t now, CheckList& list);

// Of this machine's aggregator, if it has a key or a request of one; the certificate's dates, name,
// key and authorities, and a warning 30 days before it expires.
void ExamineAggregatorCertificate(const Plan& plan, std::int64_t now, CheckList& list);
void ExamineCollaboratorCertificate(const Plan& plan, const CollaboratorName& name,
                                    std::int64_t now, CheckList& list);

// As the aggregator takes it when it starts; nothing is said if nobody was ever revoked.
void ExamineRevocationList(const Plan& plan, std::int64_t now, CheckList& list);

// The model everyone starts from is there and of the plan's network.
void ExamineInitialModel(const Plan& plan, CheckList& list);

// Nobody listens on the plan's port, unless it is this workspace's aggregator.
void ExaminePort(const Plan& plan, CheckList& list);

// Room for the models that a run keeps at the same time.
void ExamineDisk(const Plan& plan, bool aggregator, CheckList& list);

// The site's data can be read and are what the network takes.
void ExamineData(const Plan& plan, const CollaboratorName& name, const std::string& data_path,
                 CheckList& list);

// True if cert/server has anything of the plan's aggregator or, without TLS, the first model is
// here, which no archive has in it.
bool IsAggregator(const Plan& plan);

// Of a workspace that is not the aggregator's: a warning if it is the authority's, or if it has no
// sites either, for then little of it was examined.
void WarnOfNoRole(const Plan& plan, bool has_sites, CheckList& list);

}  // namespace fx
