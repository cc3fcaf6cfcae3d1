// What an administrator may change under the feet of a running aggregator: who may take part
// (plan/cols.yaml), what was revoked (cert/ca/signing-ca.crl), and the aggregator's own
// certificate.
//
// A file that cannot be read, or says something that cannot be, changes nothing: what was in force
// stays in force, and the log says so. docs/adr/0016-changes-while-running.md has the reasons.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "aggregator/runtime.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "pki/cert_store.h"
#include "pki/revocation_list.h"
#include "plan/plan.h"

namespace fx {

// The list an aggregator starts with; none if nothing was ever revoked. Refuses a list that is
// damaged, not readable or not of this authority, and one that is missing or does not name everyone
// whom the authority's books, if they can be seen, call revoked: who was revoked must not come back
// because a file is gone, or an old one was restored.
Result<std::optional<RevocationList>> LoadListInForce(const Path& cert_folder);

// Where to look. The paths are relative to the current directory.
struct WatchedFiles {
  Path cols = "plan/cols.yaml";
  Path cert_folder = "cert";
};

class Watch {
 public:
  // What is in the files now is what `runtime` began with, and `list` too. The runtime outlives the
  // watch.
  Watch(const Plan& plan, WatchedFiles files, std::optional<RevocationList> list,
        aggregator::Runtime& runtime);

  // Looks at the files once, and tells the runtime what has changed.
  void Look();

  // Looks every second on a thread of its own, until destruction; and once a day at what is about
  // to expire.
  void Start(std::chrono::milliseconds every = std::chrono::seconds(1));

 private:
  // What tells one content of a file from the next without reading it.
  using Stamp = std::vector<std::int64_t>;
  static Stamp StampOf(const Path& file);
  bool Changed(const std::vector<Path>& files);

  void Try(const std::vector<Path>& files, Status (Watch::*take)(), const char* otherwise);
  Status TakeMembers();
  Status TakeList();
  Status TakeCredentials();

  const Plan plan_;
  const WatchedFiles files_;
  aggregator::Runtime& runtime_;
  std::map<Path, Stamp> seen_;
  std::map<std::string, std::string> complaints_;  // of what is not as it should be now
  std::set<CollaboratorName> members_;
  std::optional<RevocationList> list_;
  std::jthread thread_;  // last: it uses everything else
};

}  // namespace fx
