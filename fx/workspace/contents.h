// What of a workspace travels in its archive. Keys, certificates, models and data never do.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "fx/workspace/archive.h"

namespace fx {

// What an archive may hold in all, unpacked: it is plan and code, and is read into memory whole.
inline constexpr std::uint64_t kLargestWorkspace = 256ULL << 20;

// The entries of the archive of the workspace at `folder`, in the order they are written: empty
// save/, logs/ and data/, then everything below defaults/, plan/ and src/, requirements.txt and the
// marker, sorted by name. Left out wherever they lie: __pycache__, *.crt *.key *.csr *.srl *.pem
// *.pbuf. Refuses links and whatever else is neither a file nor a folder, and a private key in a
// file of another name, and more than fits into an archive.
Result<std::vector<ArchiveEntry>> WorkspaceContents(const Path& folder);

}  // namespace fx
