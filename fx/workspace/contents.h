// What of a workspace travels, in its archive and in an image of it. Keys, certificates, models and
// data never do, nor does the list of where a site's data lies.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "fx/workspace/archive.h"

namespace fx {

// What an archive may hold in all, unpacked: it is plan and code, and is read into memory whole.
inline constexpr std::uint64_t kLargestWorkspace = 256ULL << 20;

// The entries of the archive of the workspace at `folder`, in the order they are written: empty
// save/, logs/ and data/, then everything below defaults/, plan/ and src/, requirements.txt and the
// marker, sorted by name. Left out: plan/data.yaml, which is each site's own, under this name only;
// wherever they lie, __pycache__, and *.crt *.csr *.der *.jks *.key *.p12 *.p8 *.pbuf *.pem *.pfx
// *.pk8 *.srl in small letters or large. Refuses links and whatever else is neither a file nor a
// folder, and a private key in a file of another name, and more than fits into an archive.
Result<std::vector<ArchiveEntry>> WorkspaceContents(const Path& folder);

// Refuses what has a private key in it (PrivateKeyIn of pki/key_search.h), naming `file`.
Status CheckHasNoKey(const Path& file, std::string_view bytes);

}  // namespace fx
