#include "fx/image/sbom.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/sha1.h"
#include "fx/image/oci.h"

namespace fx {
namespace {

using nlohmann::json;

constexpr const char* kUnknown = "NOASSERTION";

// Letters, digits, dots and hyphens are all that an identifier may have.
std::string IdOf(std::string_view kind, std::string_view name) {
  std::string id = format("SPDXRef-{}-{}", kind, name);
  std::ranges::replace_if(
      id,
      [](char c) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        return !letter && !(c >= '0' && c <= '9') && c != '.' && c != '-';
      },
      '-');
  return id;
}

// Package URLs write a version's + and ~ and : in hex (github.com/package-url/purl-spec).
std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '+') {
      out += "%2B";
    } else if (c == ':') {
      out += "%3A";
    } else {
      out += c;
    }
  }
  return out;
}

// Names that differ in other characters only would have one identifier.
std::string UniqueId(std::set<std::string>& taken, const std::string& id) {
  std::string unique = id;
  for (int i = 2; !taken.insert(unique).second; ++i) unique = format("{}-{}", id, i);
  return unique;
}

class Document {
 public:
  explicit Document(const SbomFacts& facts) : facts_(facts) {}

  std::string Text() {
    const std::string fx = AddPackage("fx", "fx", facts_.version, "");
    Relate("SPDXRef-DOCUMENT", "DESCRIBES", fx);
    for (const auto& [name, version] : facts_.built_in) {
      Relate(fx, "STATIC_LINK", AddPackage(name, name, version, ""));
    }
    for (const SbomFile& file : facts_.files) {
      const std::string package = &file == &facts_.files.front() ? fx : PackageOf(file);
      auto& contained = contained_[package];
      if (package != fx && contained.empty()) Relate(fx, "DYNAMIC_LINK", package);
      contained.push_back(file.sha1);
      Relate(package, "CONTAINS", AddFile(file));
    }
    AddVerificationCodes();
    const std::string content = json{packages_, files_, relationships_}.dump(
        -1, ' ', false, json::error_handler_t::replace);
    json document = {
        {"spdxVersion", "SPDX-2.3"},
        {"dataLicense", "CC0-1.0"},
        {"SPDXID", "SPDXRef-DOCUMENT"},
        {"name", facts_.name},
        {"documentNamespace", "https://spdx.org/spdxdocs/fx-image-" + Sha256Hex(AsBytes(content))},
        {"creationInfo",
         {{"created", TimeText(facts_.created)},
          {"creators", json::array({"Tool: fx-" + facts_.version})}}},
        {"packages", packages_},
        {"files", files_},
        {"relationships", relationships_}};
    return document.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
  }

 private:
  void Relate(const std::string& from, const char* how, const std::string& to) {
    relationships_.push_back(
        {{"spdxElementId", from}, {"relationshipType", how}, {"relatedSpdxElement", to}});
  }

  std::string AddPackage(const std::string& key, const std::string& name,
                         const std::string& version, const std::string& url) {
    const std::string id = UniqueId(taken_, IdOf("Package", key));
    json package = {{"SPDXID", id},
                    {"name", name},
                    {"versionInfo", version.empty() ? kUnknown : version},
                    {"downloadLocation", kUnknown},
                    {"filesAnalyzed", false},
                    {"licenseConcluded", kUnknown},
                    {"licenseDeclared", name == "fx" ? "Apache-2.0" : kUnknown},
                    {"copyrightText", kUnknown}};
    if (!url.empty()) {
      package["externalRefs"] = json::array({{{"referenceCategory", "PACKAGE-MANAGER"},
                                              {"referenceType", "purl"},
                                              {"referenceLocator", url}}});
    }
    packages_.push_back(std::move(package));
    return id;
  }

  // SHA-1 of the sorted SHA-1 of the files (clause 7.9).
  void AddVerificationCodes() {
    for (json& package : packages_) {
      const auto found = contained_.find(package["SPDXID"].get<std::string>());
      if (found == contained_.end()) continue;
      std::ranges::sort(found->second);
      std::string all;
      for (const std::string& sha1 : found->second) all += sha1;
      package["filesAnalyzed"] = true;
      package["packageVerificationCode"] = {
          {"packageVerificationCodeValue", Sha1Hex(AsBytes(all))}};
    }
  }

  std::string PackageOf(const SbomFile& file) {
    const std::string own = Path(file.name).filename().string();
    const std::string name = file.package ? file.package->name : own;
    const auto known = ids_.find(name);
    if (known != ids_.end()) return known->second;
    std::string url;
    std::string version;
    if (const auto& package = file.package) {
      version = package->version;
      url = format("pkg:deb/{}/{}@{}?arch={}", package->system, Escaped(package->name),
                   Escaped(version), package->arch);
    }
    return ids_[name] = AddPackage("system-" + name, name, version, url);
  }

  std::string AddFile(const SbomFile& file) {
    const std::string id = UniqueId(taken_, IdOf("File", file.name.substr(1)));
    files_.push_back(
        {{"SPDXID", id},
         {"fileName", "." + file.name},
         {"checksums", json::array({{{"algorithm", "SHA1"}, {"checksumValue", file.sha1}},
                                    {{"algorithm", "SHA256"}, {"checksumValue", file.sha256}}})},
         {"licenseConcluded", kUnknown},
         {"licenseInfoInFiles", json::array({kUnknown})},
         {"copyrightText", kUnknown}});
    return id;
  }

  const SbomFacts& facts_;
  json packages_ = json::array();
  json files_ = json::array();
  json relationships_ = json::array();
  std::map<std::string, std::string> ids_;
  std::set<std::string> taken_;
  std::map<std::string, std::vector<std::string>> contained_;  // SHA-1 of files, by package
};

}  // namespace

std::string SpdxText(const SbomFacts& facts) {
  return Document(facts).Text();
}

}  // namespace fx
