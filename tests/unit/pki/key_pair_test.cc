#include "pki/key_pair.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "pki/cert_store.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/support/test_pki.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using test::Must;
using test::TestPki;

class KeyPair : public testing::Test {
 protected:
  KeyPair() : identity_(Must(Identity::Collaborator("alice"))) { pki_.AddCollaborator("alice"); }

  // A certificate for a new key, which waits beside the one in use.
  Certificate Ask() const {
    const PrivateKey key = Must(PrivateKey::Generate());
    Must(key.Save(NextKeyFile(pki_.cert_folder(), identity_)));
    const SigningRequest request = Must(SigningRequest::Create(key, identity_));
    return Must(pki_.authority().Sign(request, "test", identity_, LeafValidity(UnixNow())));
  }
  std::string SerialInPlace() const {
    return Must(Certificate::Load(identity_.File(pki_.cert_folder(), ".crt"))).Serial();
  }
  void ExpectUsable() const {
    EXPECT_THAT(LoadCollaboratorCredentials(pki_.cert_folder(), {.value = "alice"}), IsOk());
  }

  TestPki pki_;
  Identity identity_;
};

TEST_F(KeyPair, StaysInUseWhileAnotherIsAwaited) {
  Ask();
  ExpectUsable();
}

TEST_F(KeyPair, ChangesTogether) {
  const Certificate certificate = Ask();
  ASSERT_THAT(InstallCertificate(pki_.cert_folder(), identity_, certificate), IsOk());
  EXPECT_EQ(SerialInPlace(), certificate.Serial());
  EXPECT_FALSE(Exists(NextKeyFile(pki_.cert_folder(), identity_)));
  ExpectUsable();
}

TEST_F(KeyPair, KeepsAKeyThatHasANewCertificate) {
  const PrivateKey key = Must(PrivateKey::Load(identity_.File(pki_.cert_folder(), ".key")));
  const SigningRequest request = Must(SigningRequest::Create(key, identity_));
  const Certificate certificate =
      Must(pki_.authority().Sign(request, "test", identity_, LeafValidity(UnixNow())));
  ASSERT_THAT(InstallCertificate(pki_.cert_folder(), identity_, certificate), IsOk());
  EXPECT_EQ(SerialInPlace(), certificate.Serial());
  ExpectUsable();
}

TEST_F(KeyPair, IsFinishedAfterACrashAtEachStep) {
  const Certificate certificate = Ask();
  const Path next_certificate = identity_.File(pki_.cert_folder(), ".crt.new");
  ASSERT_THAT(AtomicWrite(next_certificate, certificate.ToPem()), IsOk());
  ExpectUsable();  // nothing has changed place yet
  std::filesystem::rename(NextKeyFile(pki_.cert_folder(), identity_),
                          identity_.File(pki_.cert_folder(), ".key"));
  EXPECT_THAT(LoadCollaboratorCredentials(pki_.cert_folder(), {.value = "alice"}),
              IsError(ErrorCode::kUnauthenticated, "fx pki renew alice"));
  ASSERT_THAT(FinishInstall(pki_.cert_folder(), identity_), IsOk());
  EXPECT_EQ(SerialInPlace(), certificate.Serial());
  ExpectUsable();
  EXPECT_FALSE(Exists(next_certificate));
  EXPECT_THAT(FinishInstall(pki_.cert_folder(), identity_), IsOk());
}

TEST_F(KeyPair, IsNotTurnedBackByWhatACrashLeftBehind) {
  const Path left = identity_.File(pki_.cert_folder(), ".crt.new");
  const Path key_file = identity_.File(pki_.cert_folder(), ".key");
  ASSERT_THAT(AtomicWrite(left, Must(ReadFile(identity_.File(pki_.cert_folder(), ".crt")))),
              IsOk());
  const SigningRequest request =
      Must(SigningRequest::Create(Must(PrivateKey::Load(key_file)), identity_));
  const Certificate newer =
      Must(pki_.authority().Sign(request, "test", identity_, LeafValidity(UnixNow())));
  ASSERT_THAT(InstallCertificate(pki_.cert_folder(), identity_, newer), IsOk());
  ASSERT_THAT(FinishInstall(pki_.cert_folder(), identity_), IsOk());
  EXPECT_EQ(SerialInPlace(), newer.Serial());
}

TEST_F(KeyPair, IsNotTouchedByACertificateOfAStranger) {
  const std::string before = SerialInPlace();
  TestPki other;
  other.AddCollaborator("alice");
  const auto stranger = Must(Certificate::Load(identity_.File(other.cert_folder(), ".crt")));
  EXPECT_THAT(InstallCertificate(pki_.cert_folder(), identity_, stranger),
              IsError(ErrorCode::kUnauthenticated, "the certificate was made for another key"));
  EXPECT_EQ(SerialInPlace(), before);
}

}  // namespace
}  // namespace fx
