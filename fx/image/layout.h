// OCI image layouts (github.com/opencontainers/image-spec, image-layout.md), as a folder or as one
// tar: reads what others made, trusting nothing in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "fx/image/tar.h"

namespace fx {

// What a manifest says of a blob, the bytes of a layer.
struct BlobRef {
  std::string digest;  // SHA-256, 64 hex digits
  std::uint64_t size = 0;
  std::string media_type;
};

struct BaseImage {
  Path file;
  std::string arch;
  std::string config;           // JSON, whose digest was right
  std::string manifest_digest;  // SHA-256, 64 hex digits
  std::vector<BlobRef> layers;
};

// Reads the image for `arch` of the layout at `file`. Checked: versions, media types, sizes and
// digests of index, manifest and configuration, at most 4 MiB each; that the configuration is for
// `arch` and Linux and knows as many layers as the manifest, at most 120 of at most 16 GiB each.
// The layers themselves are checked by CopyBlob.
Result<BaseImage> ReadBaseImage(const Path& file, const std::string& arch);

// Passes the bytes of a layer of the layout at `file` on. Fails with kDataLoss after the last byte
// if they are not of the digest, before if they are more or fewer than they should be.
Status CopyBlob(const Path& file, const BlobRef& blob, const ByteSink& sink);

}  // namespace fx
