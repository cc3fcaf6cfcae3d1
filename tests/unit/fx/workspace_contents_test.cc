#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fx/workspace/contents.h"
#include "tests/support/matchers.h"
#include "tests/support/run_command.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using testing::ElementsAre;

class WorkspaceContentsOf : public test::VerbTest {
 protected:
  static void Put(const Path& path) {
    ASSERT_THAT(MakeFolders(path.parent_path()), IsOk());
    ASSERT_THAT(AtomicWrite(path, "x"), IsOk());
  }
  static std::vector<std::string> Names() {
    std::vector<std::string> names;
    const auto entries = WorkspaceContents(".");
    EXPECT_THAT(entries, IsOk());
    for (const ArchiveEntry& e : entries.value_or(std::vector<ArchiveEntry>{})) {
      names.push_back(e.name + (e.folder ? "/" : ""));
    }
    return names;
  }
};

TEST_F(WorkspaceContentsOf, AreWhatOpenFlPacksInAFixedOrder) {
  for (const char* name : {"src/b.py", "src/a.py", "plan/plan.yaml", "plan/plans/default/plan.yaml",
                           "requirements.txt", "notes.txt", "defaults/x.yaml"}) {
    Put(Path(".") / name);
  }
  Put("./.workspace");
  EXPECT_THAT(Names(), ElementsAre("data/", "logs/", "save/", ".workspace", "defaults/",
                                   "defaults/x.yaml", "plan/", "plan/plan.yaml", "plan/plans/",
                                   "plan/plans/default/", "plan/plans/default/plan.yaml",
                                   "requirements.txt", "src/", "src/a.py", "src/b.py"));
}

TEST_F(WorkspaceContentsOf, RefuseAPrivateKeyUnderAnotherName) {
  ASSERT_THAT(MakeFolders("src"), IsOk());
  ASSERT_THAT(AtomicWrite("src/notes.txt", "-----BEGIN EC PRIVATE KEY-----\nAA==\n"), IsOk());
  EXPECT_THAT(WorkspaceContents("."), IsError(ErrorCode::kFailedPrecondition, "src/notes.txt"));
}

TEST_F(WorkspaceContentsOf, RefuseAPrivateKeyInAnyWrapping) {
  ASSERT_THAT(MakeFolders("src"), IsOk());
  ASSERT_EQ(test::RunCommand("openssl ecparam -name secp384r1 -genkey -noout -out k && "
                             "openssl ec -in k -outform DER -out src/site.dat")
                .exit_code,
            0);
  EXPECT_THAT(WorkspaceContents("."),
              IsError(ErrorCode::kFailedPrecondition, "src/site.dat holds a private key in DER"));
  ASSERT_EQ(test::RunCommand("openssl pkcs12 -export -nocerts -inkey k -passout pass:x "
                             "-out src/site.dat")
                .exit_code,
            0);
  EXPECT_THAT(WorkspaceContents("."), IsError(ErrorCode::kFailedPrecondition,
                                              "src/site.dat holds a PKCS#12 store of keys"));
}

TEST_F(WorkspaceContentsOf, LeaveOutTheListOfWhereDataLies) {
  Put("plan/data.yaml");
  Put("plan/plan.yaml");
  Put("src/data.yaml");
  EXPECT_THAT(Names(), ElementsAre("data/", "logs/", "save/", "plan/", "plan/plan.yaml", "src/",
                                   "src/data.yaml"));
}

TEST_F(WorkspaceContentsOf, LeaveOutKeysCertificatesModelsDataAndState) {
  for (const char* name :
       {"plan/a.crt", "plan/a.key", "plan/a.csr", "plan/a.srl", "src/deep/a.pem", "src/a.pbuf",
        "src/a.der", "src/a.P12", "plan/a.pfx", "src/__pycache__/a.pyc", "data/patients.csv",
        "save/init.pbuf", "logs/a.txt", "local_state/journal.db", "cert/cert_chain.crt",
        "cert/client/col_one.key"}) {
    Put(Path(".") / name);
  }
  EXPECT_THAT(Names(), ElementsAre("data/", "logs/", "save/", "plan/", "src/", "src/deep/"));
}

TEST_F(WorkspaceContentsOf, MayBeLargerThanOneFileOfTextAndNotWithoutEnd) {
  Put("src/weights.bin");
  std::filesystem::resize_file("src/weights.bin", 100ULL << 20);
  EXPECT_THAT(WorkspaceContents("."), IsOk());
  std::filesystem::resize_file("src/weights.bin", kLargestWorkspace + 1);
  EXPECT_THAT(WorkspaceContents("."), IsError(ErrorCode::kResourceExhausted, "up to 256 MB"));
}

TEST_F(WorkspaceContentsOf, RefuseALinkBecauseItsTargetWouldNotTravel) {
  ASSERT_THAT(MakeFolders("src"), IsOk());
  std::filesystem::create_symlink("/etc/passwd", "src/helper.py");
  EXPECT_THAT(WorkspaceContents("."), IsError(ErrorCode::kFailedPrecondition,
                                              "src/helper.py is neither a file nor a folder"));
}

}  // namespace
}  // namespace fx
