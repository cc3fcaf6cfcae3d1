#include "fx/image/layout.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/digest.h"
#include "core/base/format.h"

namespace fx {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLargestJson = 4ULL << 20;
constexpr std::uint64_t kLargestLayer = 16ULL << 30;
constexpr std::size_t kMostLayers = 120;
constexpr int kDeepestIndex = 3;

constexpr std::string_view kIndex = "application/vnd.oci.image.index.v1+json";
constexpr std::string_view kDockerIndex =
    "application/vnd.docker.distribution.manifest.list.v2+json";

// A layer's media type in Docker's words and in OCI's; the bytes are the same.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kLayerTypes{{
    {"application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar"},
    {"application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.oci.image.layer.v1.tar+gzip"},
    {"application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.oci.image.layer.v1.tar+zstd"},
    {"application/vnd.docker.image.rootfs.diff.tar", "application/vnd.oci.image.layer.v1.tar"},
    {"application/vnd.docker.image.rootfs.diff.tar.gzip",
     "application/vnd.oci.image.layer.v1.tar+gzip"},
}};

// For terminals: the text is a stranger's.
std::string Shown(std::string_view text) {
  std::string out(text.substr(0, 100));
  std::ranges::replace_if(
      out, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, '?');
  return out;
}

Status ReadFromFolder(const Path& folder, const std::string& name, std::uint64_t limit,
                      const ByteSink& sink) {
  const Path path = folder / name;
  const std::uint64_t size = TRY(FileSize(path));
  if (size > limit) {
    return Fail(ErrorCode::kResourceExhausted,
                format("{} has more than the {} bytes it may have", path.string(), limit));
  }
  const InputFile file = TRY(InputFile::Open(path));
  std::vector<std::byte> block(1 << 18);
  for (std::uint64_t at = 0; at < size;) {
    const auto piece = std::span(block).first(std::min<std::uint64_t>(block.size(), size - at));
    TRY(file.ReadAt(at, piece));
    TRY(sink(piece));
    at += piece.size();
  }
  return Ok();
}

Status ReadFromLayout(const Path& file, const std::string& name, std::uint64_t limit,
                      const ByteSink& sink) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    return ReadFromFolder(file, name, limit, sink);
  }
  return ReadFromTar(file, name, limit, sink);
}

class LayoutReader {
 public:
  LayoutReader(const Path& file, const std::string& arch) : file_(file), arch_(arch) {}

  Result<BaseImage> Run() {
    TRY(CheckVersion());
    const std::string text = TRY(Text("index.json"));
    json index = TRY(Parse(text, "index.json"));
    json chosen = TRY(Choose(index));
    for (int depth = 0; IsIndex(chosen); ++depth) {
      if (depth == kDeepestIndex) return Refuse("its indexes lie too deep in each other");
      const BlobRef nested = TRY(RefOf(chosen, "a manifest"));
      index = TRY(JsonIn(nested));
      chosen = TRY(Choose(index));
    }
    const BlobRef manifest = TRY(RefOf(chosen, "a manifest"));
    const json parts = TRY(JsonIn(manifest));
    return ReadManifest(manifest, parts);
  }

 private:
  tl::unexpected<Error> Refuse(const std::string& complaint,
                               ErrorCode code = ErrorCode::kInvalidArgument) const {
    return Fail(code, format("{} cannot be used as a base image: {}", file_.string(), complaint));
  }

  Result<std::string> Text(const std::string& name) const {
    std::string text;
    TRY(ReadFromLayout(file_, name, kLargestJson, [&](std::span<const std::byte> piece) {
      text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
      return Ok();
    }));
    return text;
  }

  Result<json> Parse(const std::string& text, const std::string& name) const {
    json value = json::parse(text, nullptr, false);
    if (value.is_object()) return value;
    return Refuse(format("{} in it is not a JSON object", name));
  }

  // The text of an object's key, "" if there is none.
  static std::string TextOf(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
  }

  Status CheckVersion() const {
    auto text = Text("oci-layout");
    if (!text && text.error().code() == ErrorCode::kNotFound && Exists(file_)) {
      return Fail(Error(ErrorCode::kInvalidArgument,
                        format("{} is not an OCI image: it has no file oci-layout", file_.string()))
                      .Hint("skopeo copy docker-archive:FILE oci-archive:NEW makes one from what "
                            "docker save wrote"));
    }
    if (!text) return Fail(text.error());
    const json layout = TRY(Parse(*text, "oci-layout"));
    const std::string version = TextOf(layout, "imageLayoutVersion");
    if (version == "1.0.0") return Ok();
    return Refuse(
        format("its layout has the version \"{}\", and 1.0.0 is the one known", Shown(version)));
  }

  static bool IsIndex(const json& descriptor) {
    const std::string type = TextOf(descriptor, "mediaType");
    return type == kIndex || type == kDockerIndex;
  }

  // The only manifest, or else the one for this architecture.
  Result<json> Choose(const json& index) const {
    const auto manifests = index.find("manifests");
    if (manifests == index.end() || !manifests->is_array() || manifests->empty()) {
      return Refuse("its index lists no image");
    }
    std::optional<json> chosen;
    for (const json& entry : *manifests) {
      if (!entry.is_object()) return Refuse("its index lists something that is no image");
      const auto platform = entry.find("platform");
      const bool fits = platform != entry.end() && platform->is_object() &&
                        TextOf(*platform, "architecture") == arch_ &&
                        TextOf(*platform, "os") == "linux";
      if (!fits && manifests->size() > 1) continue;
      if (chosen) return Refuse(format("it holds several images for {}; keep one", arch_));
      chosen = entry;
    }
    if (!chosen) return Refuse(format("none of its images is for linux/{}", arch_));
    return *std::move(chosen);
  }

  Result<BlobRef> RefOf(const json& descriptor, const std::string& what) const {
    if (!descriptor.is_object()) return Refuse(format("{} is not described by an object", what));
    constexpr std::string_view kSha256 = "sha256:";
    const std::string digest = TextOf(descriptor, "digest");
    const bool hex =
        digest.size() == kSha256.size() + 64 && digest.starts_with(kSha256) &&
        digest.find_first_not_of("0123456789abcdef", kSha256.size()) == std::string::npos;
    if (!hex) return Refuse(format("{} has no SHA-256 but \"{}\"", what, Shown(digest)));
    const auto size = descriptor.find("size");
    if (size == descriptor.end() || !size->is_number_unsigned()) {
      return Refuse(format("{} has no size", what));
    }
    return BlobRef{.digest = digest.substr(kSha256.size()),
                   .size = size->get<std::uint64_t>(),
                   .media_type = TextOf(descriptor, "mediaType")};
  }

  Result<std::string> Blob(const BlobRef& blob) const {
    if (blob.size > kLargestJson) {
      return Refuse(format("{} is larger than {} bytes", blob.digest, kLargestJson),
                    ErrorCode::kResourceExhausted);
    }
    std::string text;
    TRY(CopyBlob(file_, blob, [&](std::span<const std::byte> piece) {
      text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
      return Ok();
    }));
    return text;
  }

  Result<json> JsonIn(const BlobRef& blob) const {
    const std::string text = TRY(Blob(blob));
    return Parse(text, blob.digest);
  }

  Result<BlobRef> LayerOf(const json& descriptor) const {
    BlobRef layer = TRY(RefOf(descriptor, "a layer"));
    const auto* const type = std::ranges::find(kLayerTypes, std::string_view(layer.media_type),
                                               [](const auto& known) { return known.first; });
    if (type == kLayerTypes.end()) {
      return Refuse(format("a layer has the unknown type \"{}\"", Shown(layer.media_type)));
    }
    layer.media_type = type->second;
    if (layer.size > kLargestLayer) {
      return Refuse("a layer has more than 16 GiB", ErrorCode::kResourceExhausted);
    }
    return layer;
  }

  Result<BaseImage> ReadManifest(const BlobRef& ref, const json& manifest) const {
    BaseImage image{
        .file = file_, .arch = arch_, .config = "", .manifest_digest = ref.digest, .layers = {}};
    const auto layers = manifest.find("layers");
    const auto config = manifest.find("config");
    if (layers == manifest.end() || !layers->is_array() || config == manifest.end()) {
      return Refuse("its manifest has no layers or no configuration");
    }
    if (layers->size() > kMostLayers) {
      return Refuse(format("it has {} layers, and {} are the most", layers->size(), kMostLayers),
                    ErrorCode::kResourceExhausted);
    }
    for (const json& layer : *layers) image.layers.push_back(TRY(LayerOf(layer)));
    const BlobRef config_ref = TRY(RefOf(*config, "the configuration"));
    image.config = TRY(Blob(config_ref));
    const json config_parts = TRY(Parse(image.config, "the configuration"));
    TRY(CheckConfig(config_parts, image));
    return image;
  }

  Status CheckConfig(const json& config, const BaseImage& image) const {
    const std::string arch = TextOf(config, "architecture");
    const std::string os = TextOf(config, "os");
    if (arch != arch_ || os != "linux") {
      return Fail(Error(ErrorCode::kFailedPrecondition,
                        format("{} is an image for {}/{}, but fx is to run on linux/{}",
                               file_.string(), Shown(os), Shown(arch), arch_))
                      .Hint("take the base image for the same architecture"));
    }
    const json rootfs = config.value("rootfs", json());
    const json ids = rootfs.is_object() ? rootfs.value("diff_ids", json()) : json();
    const bool fits = ids.is_array() && ids.size() == image.layers.size() &&
                      std::ranges::all_of(ids, [](const json& id) { return id.is_string(); });
    if (!fits) return Refuse("its configuration and its manifest disagree about the layers");
    for (const char* const key : {"config", "history"}) {
      const auto part = config.find(key);
      if (part == config.end() || part->is_null()) continue;
      if (std::string_view(key) == "config" ? part->is_object() : part->is_array()) continue;
      return Refuse(format("its configuration has a \"{}\" of an unknown form", key));
    }
    return Ok();
  }

  const Path& file_;
  const std::string& arch_;
};

}  // namespace

Result<BaseImage> ReadBaseImage(const Path& file, const std::string& arch) {
  return LayoutReader(file, arch).Run();
}

Status CopyBlob(const Path& file, const BlobRef& blob, const ByteSink& sink) {
  Sha256 digest;
  std::uint64_t size = 0;
  TRY(ReadFromLayout(file, "blobs/sha256/" + blob.digest, blob.size,
                     [&](std::span<const std::byte> piece) -> Status {
                       digest.Update(piece);
                       size += piece.size();
                       return sink(piece);
                     }));
  const std::string found = std::move(digest).FinishHex();
  if (size == blob.size && found == blob.digest) return Ok();
  return Fail(ErrorCode::kDataLoss,
              format("{} is damaged: the blob {} has {} bytes and the SHA-256 {}, but should have "
                     "{} bytes",
                     file.string(), blob.digest, size, found, blob.size));
}

}  // namespace fx
