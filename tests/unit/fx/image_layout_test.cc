// Images written and read again: fx/image/oci.h, fx/image/layout.h and fx/image/tar.h.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/digest.h"
#include "core/base/format.h"
#include "fx/image/layout.h"
#include "fx/image/oci.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/support/run_command.h"

namespace fx {
namespace {

using nlohmann::json;
using test::IsError;
using test::IsOk;
using test::Must;
using testing::HasSubstr;

const ContainerSpec kSpec{.arch = "amd64",
                          .reference = "localhost/study:1",
                          .created = 86400,
                          .user = "65532:65532",
                          .working_dir = "/workspace",
                          .entry_point = {"/usr/bin/fx"},
                          .health_check = {"/usr/bin/fx", "status"},
                          .environment = {{"A", "1"}},
                          .labels = {{"l", "v"}}};

class ImageLayout : public testing::Test {
 protected:
  Path File() const { return folder_.path() / "image.tar"; }
  Path Unpacked() const { return folder_.path() / "layout"; }

  static std::vector<Layer> OneLayer() {
    return {
        Must(MakeLayer({{.name = "b", .bytes = "text"}, {.name = "a", .folder = true}}, 0, "x"))};
  }
  void Write(const std::optional<BaseImage>& base = {}) const {
    ASSERT_THAT(WriteImage(File(), kSpec, OneLayer(), base), IsOk());
  }
  void Unpack() const {
    ASSERT_THAT(MakeFolders(Unpacked()), IsOk());
    const auto ran =
        test::RunCommand(format("tar -xf {} -C {}", File().string(), Unpacked().string()));
    ASSERT_EQ(ran.exit_code, 0) << ran.output;
  }
  json Index() const { return json::parse(Must(ReadFile(Unpacked() / "index.json"))); }
  json BlobJson(const json& descriptor) const {
    return json::parse(Must(ReadFile(BlobPath(descriptor))));
  }
  Path BlobPath(const json& descriptor) const {
    return Unpacked() / "blobs/sha256" / descriptor["digest"].get<std::string>().substr(7);
  }
  void PutBlob(json& descriptor, const std::string& text) const {
    descriptor["digest"] = "sha256:" + Sha256Hex(AsBytes(text));
    descriptor["size"] = text.size();
    ASSERT_THAT(AtomicWrite(BlobPath(descriptor), text), IsOk());
  }
  // Lets `change` at the manifest and makes the index point to the result.
  void ChangeManifest(const std::function<void(json&)>& change) const {
    json index = Index();
    json manifest = BlobJson(index["manifests"][0]);
    change(manifest);
    PutBlob(index["manifests"][0], manifest.dump());
    ASSERT_THAT(AtomicWrite(Unpacked() / "index.json", index.dump()), IsOk());
  }
  void ChangeConfig(const std::function<void(json&)>& change) const {
    ChangeManifest([&](json& manifest) {
      json config = BlobJson(manifest["config"]);
      change(config);
      PutBlob(manifest["config"], config.dump());
    });
  }

 private:
  TempDir folder_;
};

TEST_F(ImageLayout, IsTheSameBytesEachTime) {
  Write();
  const std::string first = Must(ReadFile(File()));
  Write();
  EXPECT_EQ(Must(ReadFile(File())), first);
}

TEST_F(ImageLayout, ReadsWhatItWrote) {
  Write();
  const BaseImage image = Must(ReadBaseImage(File(), "amd64"));
  ASSERT_EQ(image.layers.size(), 1U);
  EXPECT_EQ(image.layers[0].digest, OneLayer()[0].digest);
  std::string blob;
  ASSERT_THAT(CopyBlob(File(), image.layers[0],
                       [&](std::span<const std::byte> piece) {
                         blob.append(reinterpret_cast<const char*>(piece.data()), piece.size());
                         return Ok();
                       }),
              IsOk());
  EXPECT_EQ(blob, OneLayer()[0].blob);
}

TEST_F(ImageLayout, IsGzipOfASortedTarWithFixedTimes) {
  ASSERT_THAT(AtomicWrite(File(), OneLayer()[0].blob), IsOk());
  const auto ran = test::RunCommand("TZ=UTC tar -tvzf " + File().string());
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_THAT(ran.output, testing::MatchesRegex("drwxr-xr-x 0/0 +0 1970-01-01 00:00 a/\n"
                                                "-rw-r--r-- 0/0 +4 1970-01-01 00:00 b\n"));
}

TEST_F(ImageLayout, TellsOldDockersWhatItTellsOthers) {
  Write();
  Unpack();
  const json docker = json::parse(Must(ReadFile(Unpacked() / "manifest.json")));
  const json manifest = BlobJson(Index()["manifests"][0]);
  const auto path = [](const json& blob) {
    return "blobs/sha256/" + blob["digest"].get<std::string>().substr(7);
  };
  EXPECT_EQ(docker[0]["Config"], path(manifest["config"]));
  EXPECT_EQ(docker[0]["Layers"], json::array({path(manifest["layers"][0])}));
  EXPECT_EQ(docker[0]["RepoTags"], json::array({"localhost/study:1"}));
}

TEST_F(ImageLayout, KeepsTheLayersAndVariablesOfABase) {
  Write();
  Unpack();
  ChangeConfig([](json& config) {
    config["config"]["Env"] = {"A=0", "B=2"};
    config["config"]["Cmd"] = {"sh"};
  });
  const BaseImage base = Must(ReadBaseImage(Unpacked(), "amd64"));
  ASSERT_THAT(WriteImage(File(), kSpec, {Must(MakeLayer({{.name = "c"}}, 0, "y"))}, base), IsOk());
  const BaseImage image = Must(ReadBaseImage(File(), "amd64"));
  ASSERT_EQ(image.layers.size(), 2U);
  EXPECT_EQ(image.layers[0].digest, base.layers[0].digest);
  const json config = json::parse(image.config);
  EXPECT_EQ(config["rootfs"]["diff_ids"].size(), 2U);
  EXPECT_EQ(config["history"].size(), 2U);
  EXPECT_FALSE(config["config"].contains("Cmd"));
  const json variables = config["config"]["Env"];
  EXPECT_EQ(variables[0], "B=2");
  EXPECT_EQ(variables.back(), "A=1");
}

TEST_F(ImageLayout, LeavesNothingBehindWhenABaseLayerIsDamaged) {
  Write();
  Unpack();
  const BaseImage base = Must(ReadBaseImage(Unpacked(), "amd64"));
  const Path blob = Unpacked() / "blobs/sha256" / base.layers[0].digest;
  std::string bytes = Must(ReadFile(blob));
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  ASSERT_THAT(AtomicWrite(blob, bytes), IsOk());
  const Path out = Unpacked() / "out";
  ASSERT_THAT(MakeFolders(out), IsOk());
  EXPECT_THAT(WriteImage(out / "image.tar", kSpec, OneLayer(), base),
              IsError(ErrorCode::kDataLoss, "is damaged: the blob"));
  EXPECT_THAT(Must(ListFolder(out)), testing::IsEmpty());
}

TEST_F(ImageLayout, RefusesABaseWhoseManifestWasChanged) {
  Write();
  Unpack();
  const Path manifest = BlobPath(Index()["manifests"][0]);
  ASSERT_THAT(AtomicWrite(manifest, Must(ReadFile(manifest)) + " "), IsOk());
  EXPECT_THAT(ReadBaseImage(Unpacked(), "amd64"),
              IsError(ErrorCode::kResourceExhausted, "more than the"));
}

TEST_F(ImageLayout, RefusesABaseForAnotherArchitecture) {
  Write();
  EXPECT_THAT(ReadBaseImage(File(), "arm64"),
              IsError(ErrorCode::kFailedPrecondition,
                      "is an image for linux/amd64, but fx is to run on linux/arm64"));
}

TEST_F(ImageLayout, TakesTheImageOfTheRightArchitectureOfSeveral) {
  Write();
  Unpack();
  json index = Index();
  json other = index["manifests"][0];
  other["platform"]["architecture"] = "arm64";
  other["digest"] = "sha256:" + std::string(64, '0');
  index["manifests"].insert(index["manifests"].begin(), other);
  ASSERT_THAT(AtomicWrite(Unpacked() / "index.json", index.dump()), IsOk());
  EXPECT_THAT(ReadBaseImage(Unpacked(), "amd64"), IsOk());
  EXPECT_THAT(ReadBaseImage(Unpacked(), "riscv64"),
              IsError(ErrorCode::kInvalidArgument, "none of its images is for linux/riscv64"));
}

TEST_F(ImageLayout, RefusesDigestsThatLeadElsewhere) {
  Write();
  Unpack();
  ChangeManifest(
      [](json& manifest) { manifest["layers"][0]["digest"] = "sha256:../../../../etc/passwd"; });
  EXPECT_THAT(ReadBaseImage(Unpacked(), "amd64"),
              IsError(ErrorCode::kInvalidArgument, "a layer has no SHA-256"));
}

TEST_F(ImageLayout, RefusesABaseWithALayerOfAnUnknownKindOrSize) {
  Write();
  Unpack();
  ChangeManifest([](json& manifest) { manifest["layers"][0]["size"] = 1ULL << 50; });
  EXPECT_THAT(ReadBaseImage(Unpacked(), "amd64"),
              IsError(ErrorCode::kResourceExhausted, "more than 16 GiB"));
  ChangeManifest([](json& manifest) { manifest["layers"][0]["size"] = -1; });
  EXPECT_THAT(ReadBaseImage(Unpacked(), "amd64"), IsError(ErrorCode::kInvalidArgument, "no size"));
  ChangeManifest([](json& manifest) {
    manifest["layers"][0]["size"] = 1;
    manifest["layers"][0]["mediaType"] = "application/x\x1b[31m";
  });
  EXPECT_THAT(ReadBaseImage(Unpacked(), "amd64"),
              IsError(ErrorCode::kInvalidArgument, "unknown type \"application/x?[31m\""));
}

TEST_F(ImageLayout, RefusesAConfigurationThatDoesNotFitItsLayers) {
  Write();
  Unpack();
  for (const json& rootfs : {json(), json::array({1}), json{{"diff_ids", json::array()}}}) {
    ChangeConfig([&](json& config) { config["rootfs"] = rootfs; });
    EXPECT_THAT(ReadBaseImage(Unpacked(), "amd64"),
                IsError(ErrorCode::kInvalidArgument, "disagree about the layers"));
  }
}

TEST_F(ImageLayout, RefusesWhatIsNoLayout) {
  ASSERT_THAT(AtomicWrite(File(), std::string(10'000, 'x')), IsOk());
  EXPECT_THAT(ReadBaseImage(File(), "amd64"), IsError(ErrorCode::kDataLoss, "is no tar file"));
  ASSERT_THAT(AtomicWrite(File(), Must(TarText({{.name = "manifest.json"}}, 0))), IsOk());
  EXPECT_THAT(ReadBaseImage(File(), "amd64"),
              IsError(ErrorCode::kInvalidArgument, "it has no file oci-layout"));
  EXPECT_THAT(ReadBaseImage(File(), "amd64"),
              IsError(ErrorCode::kInvalidArgument, "skopeo copy docker-archive:FILE"));
}

TEST_F(ImageLayout, RefusesIndexesThatContainThemselves) {
  Write();
  Unpack();
  json index = Index();
  // Each level is another index around the one below.
  for (int level = 0; level < 5; ++level) {
    PutBlob(index["manifests"][0], index.dump());
    index["manifests"][0]["mediaType"] = "application/vnd.oci.image.index.v1+json";
  }
  ASSERT_THAT(AtomicWrite(Unpacked() / "index.json", index.dump()), IsOk());
  EXPECT_THAT(ReadBaseImage(Unpacked(), "amd64"),
              IsError(ErrorCode::kInvalidArgument, "lie too deep"));
}

TEST(Tar, FailsWithoutATraceWhereItCannotWrite) {
  const TempDir folder;
  EXPECT_THAT(TarFile::Create(folder.path() / "none/image.tar", 0),
              IsError(ErrorCode::kNotFound, "No such file or directory"));
  {
    TarFile tar = Must(TarFile::Create(folder.path() / "image.tar", 0));
    ASSERT_THAT(tar.Add("half", "text"), IsOk());
  }
  EXPECT_THAT(Must(ListFolder(folder.path())), testing::IsEmpty());
}

TEST(Tar, ReadsNoLinksAndNoMoreThanAllowed) {
  const TempDir folder;
  const Path file = folder.path() / "a.tar";
  const auto made = test::RunCommand(format(
      "cd {} && echo text > index.json && ln -s /etc/passwd oci-layout && tar -cf a.tar index.json "
      "oci-layout",
      folder.path().string()));
  ASSERT_EQ(made.exit_code, 0) << made.output;
  const auto ignore = [](std::span<const std::byte>) { return Ok(); };
  EXPECT_THAT(ReadFromTar(file, "oci-layout", 100, ignore),
              IsError(ErrorCode::kInvalidArgument, "is a link or a folder"));
  EXPECT_THAT(ReadFromTar(file, "index.json", 4, ignore),
              IsError(ErrorCode::kResourceExhausted, "more than the 4 bytes"));
  EXPECT_THAT(ReadFromTar(file, "index.json", 5, ignore), IsOk());
}

}  // namespace
}  // namespace fx
