// The certificate a running collaborator shows: a renewed one is taken into use without a restart.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"
#include "fx/file_stamps.h"
#include "pki/cert_store.h"

namespace fx {

// The three files of a collaborator's TLS.
std::vector<Path> CredentialFilesOf(const Path& cert_folder, const CollaboratorName& name);

// Thread-safe. What cannot be used, a key without its certificate for one, changes nothing, and the
// log says so once.
class SiteCredentials {
 public:
  // What is in `files` now is in use. `load` reads and checks them.
  SiteCredentials(std::vector<Path> files, std::function<Result<PemBundle>()> load);

  // What to use from now on, if it is not what was used so far.
  std::optional<PemBundle> Renewed();

  // Reads the files even if they seem unchanged, and says in the log what comes of it; the next
  // Renewed has it.
  void Reread();

 private:
  void ReadLocked();

  const std::vector<Path> files_;
  const std::function<Result<PemBundle>()> load_;
  std::mutex mutex_;
  FileStamps stamps_;
  std::optional<PemBundle> fresh_;
  std::string complaint_;  // the last that was logged
};

}  // namespace fx
