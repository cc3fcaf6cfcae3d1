// What an image says of its contents: fx/image/sbom.h and fx/image/packages.h.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/sha1.h"
#include "fx/image/sbom.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx {
namespace {

using nlohmann::json;
using test::IsOk;
using test::Must;

class Packages : public testing::Test {
 protected:
  void Put(const std::string& name, const std::string& text) const {
    ASSERT_THAT(MakeFolders((root() / name).parent_path()), IsOk());
    ASSERT_THAT(AtomicWrite(root() / name, text), IsOk());
  }
  Path root() const { return folder_.path(); }

 private:
  TempDir folder_;
};

TEST_F(Packages, AreFoundInTheBooksOfDpkg) {
  Put("var/lib/dpkg/status",
      "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.1-1\n"
      "\nPackage: other\nArchitecture: all\nVersion: 1\n");
  Put("var/lib/dpkg/info/libssl3:amd64.list", "/.\n/usr/lib/libssl.so.3\n");
  Put("var/lib/dpkg/info/other.list", "/usr/lib/libother.so\n");
  Put("etc/os-release", "NAME=\"Debian\"\nID=debian\n");
  Put("lib/libssl.so.3", "");
  Put("lib/libnone.so", "");
  const auto owners = PackagesOf(root(), {root() / "lib/libssl.so.3", root() / "lib/libnone.so"});
  ASSERT_EQ(owners.size(), 1U);
  const SystemPackage& package = owners.begin()->second;
  EXPECT_EQ(package.name, "libssl3");
  EXPECT_EQ(package.version, "3.0.1-1");
  EXPECT_EQ(package.arch, "amd64");
  EXPECT_EQ(package.system, "debian");
}

TEST_F(Packages, AreThoseOfWhatAbsoluteLinksMeanInsideOfTheRoot) {
  Put("var/lib/dpkg/status", "Package: blas\nArchitecture: amd64\nVersion: 3\n");
  Put("var/lib/dpkg/info/blas.list", "/usr/lib/blas/libblas.so.3\n");
  Put("usr/lib/blas/libblas.so.3", "");
  ASSERT_THAT(MakeFolders(root() / "etc/alternatives"), IsOk());
  std::filesystem::create_symlink("/etc/alternatives/libblas", root() / "usr/lib/libblas.so.3");
  std::filesystem::create_symlink("/usr/lib/blas/libblas.so.3",
                                  root() / "etc/alternatives/libblas");
  const auto owners = PackagesOf(root(), {root() / "usr/lib/libblas.so.3"});
  ASSERT_EQ(owners.size(), 1U);
  EXPECT_EQ(owners.begin()->second.name, "blas");
}

TEST_F(Packages, ClaimNothingWithoutBooks) {
  EXPECT_THAT(PackagesOf(root(), {root() / "lib/liba.so"}), testing::IsEmpty());
}

TEST(Sha1, IsThatOfTheStandard) {
  EXPECT_EQ(Sha1Hex(AsBytes("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

SbomFacts Facts() {
  const SystemPackage package{
      .name = "libc6", .version = "2.36-9+deb12u1", .arch = "amd64", .system = "debian"};
  return {.name = "localhost/study:1",
          .version = "0.1.0",
          .created = 0,
          .files = {{.name = "/usr/bin/fx", .sha1 = "01", .sha256 = "02", .package = {}},
                    {.name = "/lib/libc.so.6", .sha1 = "04", .sha256 = "05", .package = package},
                    {.name = "/lib/libm.so.6", .sha1 = "03", .sha256 = "06", .package = package},
                    {.name = "/lib/own.so", .sha1 = "07", .sha256 = "08", .package = {}}},
          .built_in = {{"libarchive", "3.6.2"}}};
}

TEST(Sbom, ListsPackagesWithVersionsAndFilesWithChecksums) {
  const json document = json::parse(SpdxText(Facts()));
  EXPECT_EQ(document["spdxVersion"], "SPDX-2.3");
  EXPECT_EQ(document["creationInfo"]["created"], "1970-01-01T00:00:00Z");
  ASSERT_EQ(document["packages"].size(), 4U);
  std::map<std::string, json> packages;
  for (const json& package : document["packages"]) packages[package["name"]] = package;
  EXPECT_EQ(packages["libarchive"]["versionInfo"], "3.6.2");
  EXPECT_EQ(packages["own.so"]["versionInfo"], "NOASSERTION");
  EXPECT_EQ(packages["libc6"]["externalRefs"][0]["referenceLocator"],
            "pkg:deb/debian/libc6@2.36-9%2Bdeb12u1?arch=amd64");
  // Of the files' SHA-1 in order, not in that of the list.
  EXPECT_EQ(packages["libc6"]["packageVerificationCode"]["packageVerificationCodeValue"],
            Sha1Hex(AsBytes("0304")));
  ASSERT_EQ(document["files"].size(), 4U);
  EXPECT_EQ(document["files"][1]["fileName"], "./lib/libc.so.6");
  EXPECT_EQ(document["files"][1]["checksums"][0]["checksumValue"], "04");
}

TEST(Sbom, HasIdentifiersThatAreUniqueAndRelationshipsThatMeetThem) {
  SbomFacts facts = Facts();
  for (const char* const name : {"/lib/libgrpc++.so", "/lib/libgrpc--.so", "/lib/libgrpc__.so"}) {
    facts.files.push_back({.name = name, .sha1 = "09", .sha256 = "10", .package = {}});
  }
  const json document = json::parse(SpdxText(facts));
  std::set<std::string> ids{"SPDXRef-DOCUMENT"};
  for (const char* const kind : {"packages", "files"}) {
    for (const json& element : document[kind]) {
      EXPECT_TRUE(ids.insert(element["SPDXID"].get<std::string>()).second);
    }
  }
  EXPECT_FALSE(document["relationships"].empty());
  for (const json& relationship : document["relationships"]) {
    EXPECT_TRUE(ids.contains(relationship["spdxElementId"].get<std::string>()));
    EXPECT_TRUE(ids.contains(relationship["relatedSpdxElement"].get<std::string>()));
  }
}

TEST(Sbom, IsTheSameTextForTheSameFacts) {
  EXPECT_EQ(SpdxText(Facts()), SpdxText(Facts()));
}

}  // namespace
}  // namespace fx
