#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/base/format.h"
#include "fx/image/layout.h"
#include "fx/image/tar.h"
#include "tests/support/made_elf.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/support/run_command.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using nlohmann::json;
using test::IsOk;
using test::MakeElf;
using test::Must;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// The workspace "ws" with an authority and a certified site, beside a machine's root folder "root"
// that holds a small program in place of fx.
class WorkspaceDockerize : public test::InitializedTest {
 protected:
  void SetUp() override {
    ASSERT_THAT(MakeFolders("Study 1"), IsOk());
    std::filesystem::current_path(folder() / "Study 1");
    InitializedTest::SetUp();
    PutElf("bin/fx", {.loader = "/lib64/ld.so", .needed = {"liba.so", "libc.so.6"}});
    PutElf("lib64/ld.so", {});
    PutElf("lib/x86_64-linux-gnu/liba.so", {});
    PutElf("lib/x86_64-linux-gnu/libc.so.6", {});
  }
  void TearDown() override { ::unsetenv("SOURCE_DATE_EPOCH"); }

  Path Root() const { return folder() / "root"; }
  void PutElf(const std::string& name, const test::ElfToMake& make) const {
    ASSERT_THAT(MakeFolders((Root() / name).parent_path()), IsOk());
    ASSERT_THAT(AtomicWrite(Root() / name, MakeElf(make)), IsOk());
  }
  static void Plant(const Path& file, const std::string& text) {
    ASSERT_THAT(MakeFolders(file.parent_path()), IsOk());
    ASSERT_THAT(AtomicWrite(file, text), IsOk());
  }

  ExitCode Dockerize(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{
        "workspace", "dockerize", "--fx", (Root() / "bin/fx").string(), "--root", Root().string()};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  }
  static BaseImage Image(const std::string& file = kImage) {
    return Must(ReadBaseImage(file, "amd64"));
  }
  static json Config() { return json::parse(Image().config); }
  // What tar lists of all layers.
  static std::vector<std::string> Names(const std::string& file = kImage) {
    std::vector<std::string> names;
    for (const BlobRef& layer : Image(file).layers) {
      const auto ran = test::RunCommand(
          format("tar -xOf '{}' blobs/sha256/{} | tar -tzf - ", file, layer.digest));
      std::istringstream lines(ran.output);
      for (std::string line; std::getline(lines, line);) names.push_back(line);
    }
    return names;
  }
  // The bytes of all layers, unpacked.
  static std::string AllBytes() {
    std::string all;
    for (const BlobRef& layer : Image().layers) {
      all +=
          test::RunCommand(format("tar -xOf '{}' blobs/sha256/{} | gzip -dc", kImage, layer.digest))
              .output;
    }
    return all;
  }

  static constexpr const char* kImage = "Study 1_image.tar";
};

TEST_F(WorkspaceDockerize, HoldsFxItsLibrariesAndTheWorkspace) {
  ASSERT_EQ(Dockerize(), ExitCode::kDone) << err();
  const auto names = Names();
  for (const char* const name :
       {"usr/bin/fx", "lib64/ld.so", "lib/x86_64-linux-gnu/liba.so",
        "lib/x86_64-linux-gnu/libc.so.6", "etc/passwd", "tmp/", "proc/", "workspace/.workspace",
        "workspace/plan/plan.yaml", "workspace/cert/cert_chain.crt", "workspace/data/"}) {
    EXPECT_THAT(names, Contains(name));
  }
  EXPECT_THAT(out(), HasSubstr("Name         localhost/study-1:latest\n"));
}

TEST_F(WorkspaceDockerize, TakesAFolderWhoseNameIsNoUtf8) {
  std::filesystem::rename(folder() / "Study 1", folder() / "\xFFws");
  std::filesystem::current_path(folder() / "\xFFws");
  EXPECT_EQ(Dockerize({"--sbom", "-o", "image.tar"}), ExitCode::kDone) << err();
}

TEST_F(WorkspaceDockerize, RunsAsANobodyAndSaysHow) {
  ASSERT_EQ(Dockerize(), ExitCode::kDone) << err();
  const json config = Config()["config"];
  EXPECT_EQ(config["User"], "65532:65532");
  EXPECT_EQ(config["WorkingDir"], "/workspace");
  EXPECT_EQ(config["Entrypoint"], json::array({"/usr/bin/fx"}));
  EXPECT_EQ(config["Healthcheck"]["Test"], json::array({"CMD", "/usr/bin/fx", "status"}));
  EXPECT_EQ(config["Labels"]["org.opencontainers.image.title"], "Study 1");
}

TEST_F(WorkspaceDockerize, IsTheSameBytesEachTime) {
  ASSERT_EQ(Dockerize({"--sbom"}), ExitCode::kDone) << err();
  const std::string first = Must(ReadFile(kImage));
  std::filesystem::last_write_time("plan/plan.yaml", std::filesystem::file_time_type::clock::now());
  ASSERT_EQ(Dockerize({"--sbom"}), ExitCode::kDone) << err();
  EXPECT_EQ(Must(ReadFile(kImage)), first);
}

TEST_F(WorkspaceDockerize, HasNoKeyNoDataAndNoState) {
  CertifySite("site1");
  Plant("data/patients.csv", "PLANTED-DATA");
  Plant("local_state/collaborator/site1/x", "PLANTED-STATE");
  Plant("logs/agg.txt", "PLANTED-LOG");
  Plant("save/model.pbuf", "PLANTED-MODEL");
  Plant("src/site.key", "PLANTED-KEY");
  Plant("cert/client/other.key", "PLANTED-KEY");
  Plant("plan/data.yaml", "site1,/srv/PLANTED-FOLDER\n");
  ASSERT_EQ(Dockerize({"--sbom"}), ExitCode::kDone) << err();
  const std::string all = AllBytes();
  EXPECT_THAT(all, HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT(all, Not(HasSubstr("PRIVATE KEY")));
  EXPECT_THAT(all, Not(HasSubstr("PLANTED")));
  for (const std::string& name : Names()) {
    EXPECT_THAT(name, Not(testing::EndsWith(".key")));
    EXPECT_THAT(name, Not(testing::MatchesRegex("workspace/(data|local_state|logs|save)/.+")));
  }
}

TEST_F(WorkspaceDockerize, RefusesAKeyUnderAnotherName) {
  Plant("src/notes.txt", "-----BEGIN PRIVATE KEY-----");
  EXPECT_EQ(Dockerize(), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("src/notes.txt holds a private key"));
  ASSERT_THAT(RemoveIfExists("src/notes.txt"), IsOk());
  ASSERT_EQ(test::RunCommand("openssl genpkey -algorithm ed25519 -outform DER -out src/site.dat")
                .exit_code,
            0);
  EXPECT_EQ(Dockerize(), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("src/site.dat holds a private key in DER"));
  ASSERT_THAT(RemoveIfExists("src/site.dat"), IsOk());
  Plant("cert/cert_chain.crt", "-----BEGIN EC PRIVATE KEY-----");
  EXPECT_EQ(Dockerize(), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("cert/cert_chain.crt holds a private key"));
  EXPECT_FALSE(Exists(kImage));
}

TEST_F(WorkspaceDockerize, BearsTheTimeItIsTold) {
  ASSERT_EQ(Dockerize(), ExitCode::kDone) << err();
  EXPECT_EQ(Config()["created"], "1970-01-01T00:00:00Z");
  ::setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
  ASSERT_EQ(Dockerize(), ExitCode::kDone) << err();
  EXPECT_EQ(Config()["created"], "2023-11-14T22:13:20Z");
  ::setenv("SOURCE_DATE_EPOCH", "yesterday", 1);
  EXPECT_EQ(Dockerize(), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("SOURCE_DATE_EPOCH is \"yesterday\""));
}

TEST_F(WorkspaceDockerize, LaysItselfOverABaseWithoutTouchingIt) {
  ASSERT_EQ(Dockerize({"-o", "base.tar"}), ExitCode::kDone) << err();
  ASSERT_EQ(Dockerize({"-b", "base.tar", "--sbom"}), ExitCode::kDone) << err();
  EXPECT_EQ(Image().layers.size(), 4U);
  EXPECT_EQ(Config()["config"]["Entrypoint"],
            json::array({"/opt/fx/lib/ld.so", "--library-path", "/opt/fx/lib", "/opt/fx/bin/fx"}));
  std::vector<std::string> added = Names();
  added.erase(added.begin(), added.begin() + static_cast<std::ptrdiff_t>(Names("base.tar").size()));
  EXPECT_THAT(added, Contains("opt/fx/lib/libc.so.6"));
  EXPECT_THAT(added, testing::Each(testing::MatchesRegex("(opt/fx|workspace)/.*")));
}

TEST_F(WorkspaceDockerize, TakesTheNamesOfOpenFlsOptions) {
  ASSERT_EQ(Dockerize({"-o", "base.tar", "--save"}), ExitCode::kDone) << err();
  EXPECT_EQ(Dockerize({"--base_image", "base.tar"}), ExitCode::kDone) << err();
  EXPECT_EQ(Dockerize({"--base_image", "openfl"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("the base image openfl is not there: it is a file, not a name"));
  EXPECT_EQ(Dockerize({"--no-save"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("--no-save would leave nothing"));
}

TEST_F(WorkspaceDockerize, RefusesAnFxForAnotherArchitecture) {
  EXPECT_EQ(Dockerize({"--arch", "x86_64"}), ExitCode::kDone) << err();
  ASSERT_THAT(RemoveIfExists(kImage), IsOk());
  EXPECT_EQ(Dockerize({"--arch", "arm64"}), ExitCode::kFailed);
  EXPECT_THAT(err(),
              HasSubstr("bin/fx is for amd64, and an image for arm64 needs an fx for arm64"));
  PutElf("bin/fx", {.machine = EM_AARCH64, .loader = "/lib64/ld.so", .needed = {"liba.so"}});
  EXPECT_EQ(Dockerize(), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("the dynamic loader, is for amd64"));
  EXPECT_FALSE(Exists(kImage));
}

TEST_F(WorkspaceDockerize, NamesAMissingLibrary) {
  ASSERT_THAT(RemoveIfExists(Root() / "lib/x86_64-linux-gnu/liba.so"), IsOk());
  EXPECT_EQ(Dockerize(), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("the library liba.so for amd64 is missing"));
}

TEST_F(WorkspaceDockerize, RefusesANameThatNoImageMayHave) {
  for (const char* const tag : {"Study", "a//b", "a:", "/a", "a b", "a@sha256:0", ":1"}) {
    EXPECT_EQ(Dockerize({"-t", tag}), ExitCode::kFailed) << tag;
    EXPECT_THAT(err(), HasSubstr("is not a name for an image")) << tag;
  }
  ASSERT_EQ(Dockerize({"-t", "registry.example.org:5000/a/study:V1"}), ExitCode::kDone) << err();
  EXPECT_THAT(out(), HasSubstr("Name         registry.example.org:5000/a/study:V1\n"));
}

TEST_F(WorkspaceDockerize, IsMadeAtASiteThatHasNoModel) {
  ASSERT_EQ(Run({"workspace", "export"}), ExitCode::kDone) << err();
  ASSERT_THAT(RemoveIfExists("save/init.pbuf"), IsOk());
  EXPECT_EQ(Dockerize(), ExitCode::kDone) << err();
}

TEST_F(WorkspaceDockerize, RefusesAPlanThatIsNotInitialized) {
  ASSERT_THAT(RemoveIfExists("save/init.pbuf"), IsOk());
  EXPECT_EQ(Dockerize(), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("run `fx plan initialize` first"));
}

TEST_F(WorkspaceDockerize, SaysWhereItCannotWrite) {
  EXPECT_EQ(Dockerize({"-o", "none/image.tar"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("cannot write none/image.tar"));
  EXPECT_THAT(err(), HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace fx
