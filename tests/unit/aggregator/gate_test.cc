#include "aggregator/server/gate.h"

#include <gtest/gtest.h>

#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/support/test_pki.h"

namespace fx::aggregator {
namespace {

using test::IsError;
using test::IsOk;
using test::Must;
using test::TestPki;

const FederationIdentity kIdentity = {.aggregator_uuid = "aggregator_plan.yaml_1234abcd",
                                      .federation_uuid = "plan.yaml_1234abcd",
                                      .plan_digest = "1234abcdef"};

class GateTest : public testing::Test {
 protected:
  GateTest() { pki_.AddCollaborator("ann"); }

  Result<Caller> Admit(const std::string& name, bool shows_certificate = true) const {
    const std::vector<std::string> names = {name};
    const std::string pem =
        shows_certificate ? pki_.CollaboratorBundle(name).certificate : std::string();
    return gate_.Admit(MakeHeader(kIdentity, {name}), names, pem);
  }
  void Revoke(const std::string& name) {
    const std::string pem = pki_.CollaboratorBundle(name).certificate;
    const Certificate certificate = Must(Certificate::FromPem(pem, name));
    gate_.Revoke(Must(pki_.authority().Revoke({certificate.Serial()}, {}, now_)));
  }

  TestPki pki_;
  std::int64_t now_ = UnixNow();
  Gate gate_{{.identity = kIdentity, .authorized = {{"ann"}}}, [this] { return now_; }};
};

TEST_F(GateTest, LetsInWhoIsListed) {
  const auto caller = Admit("ann");
  ASSERT_THAT(caller, IsOk());
  EXPECT_EQ(caller->who(), CollaboratorName{"ann"});
  EXPECT_THAT(caller->StillWelcome(), IsOk());
}

TEST_F(GateTest, LetsInWhoIsAddedLater) {
  pki_.AddCollaborator("zoe");
  EXPECT_THAT(Admit("zoe"), IsError(ErrorCode::kPermissionDenied, "fx collaborator certify"));
  gate_.SetMembers({CollaboratorName{"ann"}, CollaboratorName{"zoe"}});
  EXPECT_THAT(Admit("zoe"), IsOk());
}

TEST_F(GateTest, SendsAwayWhoIsTakenOffTheList) {
  pki_.AddCollaborator("zoe");
  const Caller ann = Must(Admit("ann"));
  gate_.SetMembers({CollaboratorName{"zoe"}});
  EXPECT_THAT(ann.StillWelcome(), IsError(ErrorCode::kPermissionDenied, "ann was taken off"));
  EXPECT_THAT(Admit("ann"), IsError(ErrorCode::kPermissionDenied, "not in plan/cols.yaml"));
}

TEST_F(GateTest, LetsNobodyInThatIsOnlyToBeKept) {
  pki_.AddCollaborator("zoe");
  const Caller ann = Must(Admit("ann"));
  gate_.KeepOnly({CollaboratorName{"ann"}, CollaboratorName{"zoe"}});
  EXPECT_THAT(ann.StillWelcome(), IsOk());
  EXPECT_THAT(Admit("zoe"), IsError(ErrorCode::kPermissionDenied, "not in plan/cols.yaml"));
  gate_.KeepOnly({});
  EXPECT_THAT(ann.StillWelcome(), IsError(ErrorCode::kPermissionDenied, "ann was taken off"));
}

TEST_F(GateTest, SendsAwayWhoIsInsideWhenTheCertificateIsRevoked) {
  const Caller caller = Must(Admit("ann"));
  Revoke("ann");
  EXPECT_THAT(caller.StillWelcome(), IsError(ErrorCode::kUnauthenticated, "was revoked"));
  EXPECT_THAT(Admit("ann"), IsError(ErrorCode::kUnauthenticated, "was revoked"));
}

TEST_F(GateTest, SendsAwayWhoIsInsideWhenTheCertificateExpires) {
  const Caller caller = Must(Admit("ann"));
  now_ += std::int64_t{366} * 24 * 3600;
  EXPECT_THAT(caller.StillWelcome(), IsError(ErrorCode::kUnauthenticated, "fx pki renew ann"));
  EXPECT_THAT(Admit("ann"), IsError(ErrorCode::kUnauthenticated, "of ann expired on"));
}

TEST_F(GateTest, KnowsACertificateByItsNumberAndNotByItsName) {
  Revoke("ann");
  pki_.AddCollaborator("ann");
  EXPECT_THAT(Admit("ann"), IsOk());
}

TEST_F(GateTest, RefusesAPeerCertificateItCannotRead) {
  const std::vector<std::string> names = {"ann"};
  EXPECT_THAT(gate_.Admit(MakeHeader(kIdentity, {"ann"}), names, "nonsense"),
              IsError(ErrorCode::kInvalidArgument, "the caller's certificate"));
}

TEST_F(GateTest, HasNothingToRevokeWithoutCertificates) {
  Revoke("ann");
  const auto caller = Admit("ann", false);
  ASSERT_THAT(caller, IsOk());
  EXPECT_THAT(caller->StillWelcome(), IsOk());
}

}  // namespace
}  // namespace fx::aggregator
