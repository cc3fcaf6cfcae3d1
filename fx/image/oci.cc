#include "fx/image/oci.h"

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/base/digest.h"
#include "core/base/format.h"

namespace fx {
namespace {

using nlohmann::json;

constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kConfigType = "application/vnd.oci.image.config.v1+json";
constexpr const char* kLayerType = "application/vnd.oci.image.layer.v1.tar+gzip";
constexpr const char* kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

json Descriptor(const std::string& type, const std::string& digest, std::uint64_t size) {
  return {{"mediaType", type}, {"digest", "sha256:" + digest}, {"size", size}};
}

// The base's variables, and ours in place of those of the same name.
json Environment(const json& base, const std::map<std::string, std::string>& ours) {
  json all = json::array();
  bool path = false;
  for (const json& variable : base) {
    if (!variable.is_string()) continue;
    const std::string text = variable.get<std::string>();
    const std::string name = text.substr(0, text.find('='));
    path = path || name == "PATH";
    if (!ours.contains(name)) all.push_back(text);
  }
  if (!path) all.push_back(std::string("PATH=") + kPath);
  for (const auto& [name, value] : ours) all.push_back(name + "=" + value);
  return all;
}

// Durations are in nanoseconds (moby/docker-image-spec, HealthcheckConfig).
json HealthCheck(const std::vector<std::string>& words) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  json test = {"CMD"};
  for (const std::string& word : words) test.push_back(word);
  return {{"Test", test},
          {"Interval", 30 * kSecond},
          {"Timeout", 10 * kSecond},
          {"StartPeriod", 60 * kSecond},
          {"Retries", 3}};
}

json RunConfig(const ContainerSpec& spec, json config) {
  if (!config.is_object()) config = json::object();
  json& labels = config["Labels"];
  if (!labels.is_object()) labels = json::object();
  for (const auto& [name, value] : spec.labels) labels[name] = value;
  config["Env"] = Environment(config.value("Env", json::array()), spec.environment);
  config["User"] = spec.user;
  config["WorkingDir"] = spec.working_dir;
  config["Entrypoint"] = spec.entry_point;
  config.erase("Cmd");
  config["Healthcheck"] = HealthCheck(spec.health_check);
  config["StopSignal"] = "SIGTERM";
  return config;
}

std::string ConfigText(const ContainerSpec& spec, const std::vector<Layer>& layers,
                       const std::optional<BaseImage>& base) {
  json image = base ? json::parse(base->config, nullptr, false) : json::object();
  FX_CHECK(image.is_object());
  image["architecture"] = spec.arch;
  image["os"] = "linux";
  image["created"] = TimeText(spec.created);
  image["config"] = RunConfig(spec, image.value("config", json::object()));
  json& rootfs = image["rootfs"];
  rootfs["type"] = "layers";
  if (!rootfs.contains("diff_ids")) rootfs["diff_ids"] = json::array();
  json& history = image["history"];
  if (!history.is_array()) history = json::array();
  for (const Layer& layer : layers) {
    rootfs["diff_ids"].push_back("sha256:" + layer.diff_id);
    history.push_back({{"created", TimeText(spec.created)}, {"created_by", layer.made_by}});
  }
  return image.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string ManifestText(const ContainerSpec& spec, const std::string& config,
                         const std::vector<Layer>& layers, const std::optional<BaseImage>& base) {
  json all = json::array();
  json annotations = spec.labels;
  if (base) {
    annotations["org.opencontainers.image.base.digest"] = "sha256:" + base->manifest_digest;
    for (const BlobRef& layer : base->layers) {
      all.push_back(Descriptor(layer.media_type, layer.digest, layer.size));
    }
  }
  for (const Layer& layer : layers) {
    all.push_back(Descriptor(kLayerType, layer.digest, layer.blob.size()));
  }
  const json manifest = {
      {"schemaVersion", 2},
      {"mediaType", kManifestType},
      {"config", Descriptor(kConfigType, Sha256Hex(AsBytes(config)), config.size())},
      {"layers", all},
      {"annotations", annotations}};
  return manifest.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string IndexText(const ContainerSpec& spec, const std::string& manifest) {
  json entry = Descriptor(kManifestType, Sha256Hex(AsBytes(manifest)), manifest.size());
  entry["platform"] = {{"architecture", spec.arch}, {"os", "linux"}};
  entry["annotations"] = {{"org.opencontainers.image.ref.name", spec.reference},
                          {"io.containerd.image.name", spec.reference}};
  return json{{"schemaVersion", 2},
              {"mediaType", "application/vnd.oci.image.index.v1+json"},
              {"manifests", json::array({entry})}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string BlobName(const std::string& digest) {
  return "blobs/sha256/" + digest;
}

// What docker load read before it knew OCI layouts (moby image-spec v1.2).
std::string DockerManifestText(const ContainerSpec& spec, const std::string& config,
                               const std::vector<Layer>& layers,
                               const std::optional<BaseImage>& base) {
  json names = json::array();
  if (base) {
    for (const BlobRef& layer : base->layers) names.push_back(BlobName(layer.digest));
  }
  for (const Layer& layer : layers) names.push_back(BlobName(layer.digest));
  const json image = {{"Config", BlobName(Sha256Hex(AsBytes(config)))},
                      {"RepoTags", json::array({spec.reference})},
                      {"Layers", names}};
  return json::array({image}).dump(-1, ' ', false, json::error_handler_t::replace);
}

Status CopyBaseLayers(TarFile& tar, const BaseImage& base, std::set<std::string>& there) {
  for (const BlobRef& layer : base.layers) {
    if (!there.insert(layer.digest).second) continue;  // an empty layer may be there twice
    TRY(tar.Begin(BlobName(layer.digest), layer.size));
    TRY(CopyBlob(base.file, layer,
                 [&](std::span<const std::byte> piece) { return tar.Append(piece); }));
  }
  return Ok();
}

}  // namespace

std::string TimeText(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts = {};
  FX_CHECK(gmtime_r(&time, &parts) != nullptr);
  std::array<char, 64> text;
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

Result<Layer> MakeLayer(std::vector<TarEntry> entries, std::int64_t mtime, std::string made_by) {
  const std::string tar = TRY(TarText(std::move(entries), mtime));
  Layer layer;
  layer.blob = TRY(GzipText(tar));
  layer.diff_id = Sha256Hex(AsBytes(tar));
  layer.made_by = std::move(made_by);
  layer.digest = Sha256Hex(AsBytes(layer.blob));
  return layer;
}

Result<WrittenImage> WriteImage(const Path& to, const ContainerSpec& spec,
                                const std::vector<Layer>& layers,
                                const std::optional<BaseImage>& base) {
  const std::string config = ConfigText(spec, layers, base);
  const std::string manifest = ManifestText(spec, config, layers, base);
  WrittenImage written{.manifest_digest = Sha256Hex(AsBytes(manifest)),
                       .config_digest = Sha256Hex(AsBytes(config)),
                       .layer_bytes = 0};
  TarFile tar = TRY(TarFile::Create(to, spec.created));
  TRY(tar.Add("oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  TRY(tar.Add("index.json", IndexText(spec, manifest)));
  TRY(tar.Add("manifest.json", DockerManifestText(spec, config, layers, base)));
  TRY(tar.AddFolder("blobs"));
  TRY(tar.AddFolder("blobs/sha256"));
  std::set<std::string> there{written.manifest_digest, written.config_digest};
  TRY(tar.Add(BlobName(written.manifest_digest), manifest));
  TRY(tar.Add(BlobName(written.config_digest), config));
  if (base) {
    TRY(CopyBaseLayers(tar, *base, there));
    for (const BlobRef& layer : base->layers) written.layer_bytes += layer.size;
  }
  for (const Layer& layer : layers) {
    written.layer_bytes += layer.blob.size();
    if (there.insert(layer.digest).second) TRY(tar.Add(BlobName(layer.digest), layer.blob));
  }
  TRY(tar.Finish());
  return written;
}

}  // namespace fx
