#include "fx/collaborator/site_credentials.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "core/base/file.h"
#include "tests/support/must.h"
#include "tests/support/test_pki.h"

namespace fx {
namespace {

using test::Must;

class SiteCredentialsTest : public testing::Test {
 protected:
  SiteCredentialsTest() {
    pki_.AddCollaborator("ann");
    site_.emplace(CredentialFilesOf(pki_.cert_folder(), kAnn),
                  [this] { return LoadCollaboratorCredentials(pki_.cert_folder(), kAnn); });
  }

  void Renew() { pki_.AddCollaborator("ann"); }
  std::string Certificate() const { return pki_.CollaboratorBundle("ann").certificate; }

  static inline const CollaboratorName kAnn{"ann"};
  test::TestPki pki_;
  std::optional<SiteCredentials> site_;
};

TEST_F(SiteCredentialsTest, ThereIsNothingNewUntilTheFilesChange) {
  EXPECT_FALSE(site_->Renewed().has_value());
}

TEST_F(SiteCredentialsTest, ARenewedCertificateIsHandedOutOnce) {
  const std::string before = Certificate();
  Renew();
  const auto renewed = site_->Renewed();
  ASSERT_TRUE(renewed.has_value());
  EXPECT_NE(renewed->certificate, before);
  EXPECT_EQ(renewed->certificate, Certificate());
  EXPECT_FALSE(site_->Renewed().has_value());
}

TEST_F(SiteCredentialsTest, HalfAPairIsNotUsedAndTheWholeOneIs) {
  const Path certificate = CredentialFilesOf(pki_.cert_folder(), kAnn)[0];
  const std::string before = Certificate();
  Renew();
  const std::string after = Certificate();
  Must(AtomicWrite(certificate, before));  // does not belong to the new key
  EXPECT_FALSE(site_->Renewed().has_value());
  Must(AtomicWrite(certificate, after));
  ASSERT_TRUE(site_->Renewed().has_value());
}

TEST_F(SiteCredentialsTest, OnRequestTheSameFilesAreTakenAnew) {
  site_->Reread();
  ASSERT_TRUE(site_->Renewed().has_value());
}

}  // namespace
}  // namespace fx
