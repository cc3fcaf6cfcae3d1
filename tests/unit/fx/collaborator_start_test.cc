// What stops a collaborator before it talks to anyone; the rest is in tests/integration and e2e.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using test::IsOk;
using test::Must;
using testing::HasSubstr;

class CollaboratorStart : public test::VerbTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(Run({"workspace", "create", "--prefix", "WS", "--template", "cnn_mnist"}),
              ExitCode::kDone);
    std::filesystem::current_path("WS");
    Change("agg_addr: auto", "agg_addr: localhost");
    Change("agg_port: auto", "agg_port: 50051");
    ASSERT_THAT(AtomicWrite("plan/data.yaml", "site1,1\n"), IsOk());
  }
  static void Change(const std::string& from, const std::string& to) {
    std::string plan = Must(ReadFile("plan/plan.yaml"));
    const std::size_t at = plan.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    ASSERT_THAT(AtomicWrite("plan/plan.yaml", plan.replace(at, from.size(), to)), IsOk());
  }
  ExitCode Start(const std::string& name) { return Run({"collaborator", "start", "-n", name}); }
};

TEST_F(CollaboratorStart, SaysWhichCommandNamesTheData) {
  EXPECT_EQ(Start("site2"), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("plan/data.yaml has no line for the collaborator site2"));
  EXPECT_THAT(err(), HasSubstr("hint: fx collaborator create -n site2 -d"));
}

TEST_F(CollaboratorStart, SaysThatThereIsNoDataFile) {
  EXPECT_EQ(Run({"collaborator", "start", "-n", "site1", "-d", "other.yaml"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("other.yaml does not exist"));
}

TEST_F(CollaboratorStart, SaysWhatToMountInAContainer) {
  ASSERT_THAT(RemoveIfExists("plan/data.yaml"), IsOk());
  EXPECT_EQ(Start("site1"), ExitCode::kFailed);
  const std::string file = std::filesystem::absolute("plan/data.yaml").string();
  EXPECT_THAT(err(), HasSubstr("in a container, mount the file that has this line at " + file));
  ASSERT_THAT(MakeFolders("plan/data.yaml"), IsOk());
  EXPECT_EQ(Start("site1"), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("plan/data.yaml is a folder: docker makes one"));
}

TEST_F(CollaboratorStart, NeedsAPlanThatSaysWhereTheAggregatorIs) {
  Change("agg_addr: localhost", "agg_addr: auto");
  EXPECT_EQ(Start("site1"), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("the plan does not say where the aggregator is"));
}

TEST_F(CollaboratorStart, NeedsACertificate) {
  EXPECT_EQ(Start("Site1"), ExitCode::kFailed);  // names are lower-cased, as in data.yaml
  EXPECT_THAT(err(), HasSubstr("col_site1"));
}

TEST_F(CollaboratorStart, RefusesANameThatCouldLeaveItsFolder) {
  EXPECT_EQ(Start("../site1"), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("../site1"));
}

}  // namespace
}  // namespace fx
