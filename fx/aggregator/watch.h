// What an administrator may change under the feet of a running aggregator: who may take part
// (plan/cols.yaml), what was revoked (cert/ca/signing-ca.crl), and the aggregator's own
// certificate.
//
// Somebody may be in the middle of writing the list of collaborators, and half a list would throw
// sites out of the round. So a name that is gone from it counts when a second look finds the same.
//
// A file that cannot be read, or says something that cannot be, changes nothing: what was in force
// stays in force, and the log says so. docs/adr/0016-changes-while-running.md has the reasons.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "aggregator/runtime.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "fx/file_stamps.h"
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

  // Looks at the files once, and tells the runtime what has changed. From any thread.
  void Look();

  // Reads the list of collaborators now, and returns who may take part since then; or why the list
  // before stays in force.
  Result<std::vector<CollaboratorName>> ReadMembers();
  // Looks, and takes everything over even if it seems unchanged. Says in the log what is in force
  // then. From any thread.
  void Reread();

  // Looks every second on a thread of its own, until destruction; and once a day at what is about
  // to expire.
  void Start(std::chrono::milliseconds every = std::chrono::seconds(1));

 private:
  void LookLocked();
  void Try(const std::vector<Path>& files, Status (Watch::*take)(), const char* otherwise);
  std::vector<CollaboratorName> Members();
  Status LookAtMembers();
  Status TakeMembers(std::vector<CollaboratorName> now);
  // Of the names in the file, those that can take part.
  std::vector<CollaboratorName> Useful(const std::vector<CollaboratorName>& listed) const;
  Status TakeList();
  Status TakeCredentials();

  const Plan plan_;
  const WatchedFiles files_;
  aggregator::Runtime& runtime_;
  std::mutex mutex_;  // of everything below but the thread
  FileStamps stamps_;
  std::map<std::string, std::string> complaints_;  // of what is not as it should be now
  std::vector<CollaboratorName> members_;
  std::optional<std::vector<CollaboratorName>> doubted_;  // a list with fewer, at the look before
  std::optional<RevocationList> list_;
  std::jthread thread_;  // last: it uses everything else
};

}  // namespace fx
