// Container images as Open Container Initiative defines them (image-spec 1.0: manifest.md,
// config.md, image-layout.md), written to one tar that docker load takes as well.
//
//   oci-layout, index.json           the layout: one image, with its name as annotation
//   manifest.json                    the same once more, for the docker load of old
//   blobs/sha256/<digest>            manifest, configuration, layers
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "fx/image/layout.h"
#include "fx/image/tar.h"

namespace fx {

// "2026-01-31T12:00:00Z" (RFC 3339), of a time before the year 10000.
std::string TimeText(std::int64_t seconds);

struct Layer {
  std::string blob;     // tar, gzip
  std::string digest;   // SHA-256 of the blob, 64 hex digits
  std::string diff_id;  // SHA-256 of the tar
  std::string made_by;  // for the history
};

// `made_by` says what made the layer.
Result<Layer> MakeLayer(std::vector<TarEntry> entries, std::int64_t mtime, std::string made_by);

struct ContainerSpec {
  std::string arch;
  std::string reference;     // "localhost/study:latest"
  std::int64_t created = 0;  // seconds since 1970; of every file of the tar too
  std::string user;
  std::string working_dir;
  std::vector<std::string> entry_point;
  std::vector<std::string> health_check;           // words of a command; docker's extension
  std::map<std::string, std::string> environment;  // beside the base's
  std::map<std::string, std::string> labels;
};

struct WrittenImage {
  std::string manifest_digest;
  std::string config_digest;
  std::uint64_t layer_bytes = 0;  // compressed, of all layers: what a registry keeps
};

// Writes the image, on the layers of `base` if there is one, whose layers are checked while they
// are copied. Whole or not at all; the same spec, layers and base give the same bytes.
Result<WrittenImage> WriteImage(const Path& to, const ContainerSpec& spec,
                                const std::vector<Layer>& layers,
                                const std::optional<BaseImage>& base);

}  // namespace fx
