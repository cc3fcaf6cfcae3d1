// What is wrong with certificates, before a handshake finds it out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/file.h"

namespace fx {

struct Finding {
  bool problem = true;  // a handshake fails or a secret is open; otherwise it will be so one day
  std::string what;     // begins with the file
  std::string advice;   // what to do; may be empty
};

// Every certificate of the folder against its chain, its key and the revocation list; the modes of
// all private keys; the authority's books against the list; dates. Empty if all is well.
std::vector<Finding> InspectFolder(const Path& cert_folder, std::int64_t now);

// One certificate: dates, chain, use, revocation, and the private key beside it (the same name,
// ending in .key), if there is one. Its role is what the certificate says, or what its folder is.
std::vector<Finding> InspectFile(const Path& cert_folder, const Path& file, std::int64_t now);

}  // namespace fx
