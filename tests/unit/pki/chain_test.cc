#include "pki/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pki/issue.h"
#include "tests/support/matchers.h"
#include "tests/support/test_pki.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using test::TestPki;
using testing::HasSubstr;

TEST(Chain, IsReadWholeAndInOrder) {
  const TestPki pki;
  const auto chain = LoadChain(ChainFile(pki.cert_folder()));
  ASSERT_THAT(chain, IsOk());
  ASSERT_EQ(chain->size(), 2U);
  EXPECT_EQ((*chain)[0].CommonName(), "Simple Root CA");
  EXPECT_EQ((*chain)[1].CommonName(), "Simple Signing CA");
}

TEST(Chain, MayHaveWordsBetweenCertificates) {
  const TestPki pki;
  const std::string text = "root:\n" + pki.authority().root().ToPem() + "\nsigning:\n" +
                           pki.authority().signing().ToPem() + "end\n";
  const auto chain = ChainFromPem(text, "c.crt");
  ASSERT_THAT(chain, IsOk());
  EXPECT_EQ(chain->size(), 2U);
}

TEST(Chain, IsBounded) {
  const TestPki pki;
  std::string text;
  for (int i = 0; i < 21; ++i) text += pki.authority().root().ToPem();
  EXPECT_THAT(ChainFromPem(text, "c.crt"),
              IsError(ErrorCode::kInvalidArgument, "c.crt: more than 20 certificates"));
}

TEST(Chain, CutShortIsDamaged) {
  const TestPki pki;
  const std::string text = pki.authority().ChainPem();
  EXPECT_THAT(ChainFromPem(text.substr(0, text.size() - 30), "c.crt"),
              IsError(ErrorCode::kDataLoss, "c.crt: certificate number 2 is damaged"));
}

TEST(Chain, SaysThatTheAuthorityItselfHasExpired) {
  const auto key = PrivateKey::Generate();
  const X509NamePtr name(X509_NAME_new());
  const Validity past = {.from = UnixNow() - 7200, .to = UnixNow() - 3600};
  const auto root = Issue({.subject = name.get(),
                           .public_key = key->get(),
                           .issuer = nullptr,
                           .issuer_key = *key,
                           .validity = past,
                           .extensions = AuthorityExtensions(0)});
  ASSERT_THAT(root, IsOk());
  const Identity alice = *Identity::Collaborator("alice");
  const auto leaf_key = PrivateKey::Generate();
  const auto request = SigningRequest::Create(*leaf_key, alice);
  const auto leaf = Issue({.subject = X509_REQ_get_subject_name(request->get()),
                           .public_key = leaf_key->get(),
                           .issuer = &*root,
                           .issuer_key = *key,
                           .validity = LeafValidity(UnixNow()),
                           .extensions = LeafExtensions(alice, leaf_key->get())});
  ASSERT_THAT(leaf, IsOk());
  const Status verified = VerifyCertificate(*leaf, "a.crt", Role::kCollaborator, {*root}, "c.crt");
  ASSERT_THAT(verified, IsError(ErrorCode::kUnauthenticated, "expired on"));
  EXPECT_THAT(verified.error().hint(), HasSubstr("the authority itself has expired"));
}

}  // namespace
}  // namespace fx
