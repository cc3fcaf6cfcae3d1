#include "pki/signing_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "tests/support/matchers.h"
#include "tests/support/run_command.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using test::Ran;
using test::RunCommand;
using testing::AllOf;
using testing::HasSubstr;

class SigningRequestFile : public testing::Test {
 protected:
  Path File() const { return folder_.path() / "r.csr"; }
  Ran Run(const std::string& line) const {
    return RunCommand("cd " + folder_.path().string() + " && " + line);
  }
  // A request by Debian's openssl.
  void MakeWithOpenSsl(const std::string& options) const {
    const Ran made = Run("openssl req -new -nodes -keyout k.key -out r.csr " + options);
    ASSERT_EQ(made.exit_code, 0) << made.output;
  }

 private:
  TempDir folder_;
};

const Identity kAlice = *Identity::Collaborator("alice");

TEST_F(SigningRequestFile, HasWhatOpenFlsRequestsHave) {
  const auto key = PrivateKey::Generate(KeyKind::kRsa3072);
  const auto request = SigningRequest::Create(*key, kAlice);
  ASSERT_THAT(request, IsOk());
  ASSERT_THAT(AtomicWrite(File(), request->pem()), IsOk());
  const Ran shown = Run("openssl req -in r.csr -noout -verify -text");
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_THAT(shown.output, AllOf(HasSubstr("Subject: CN = alice"), HasSubstr("CA:FALSE"),
                                  HasSubstr("Digital Signature, Key Encipherment"),
                                  HasSubstr("TLS Web Client Authentication"),
                                  HasSubstr("DNS:alice"), HasSubstr("sha384WithRSAEncryption")));
  EXPECT_EQ(Run("sha384sum r.csr").output.substr(0, 96), request->Fingerprint());
}

TEST_F(SigningRequestFile, IsAcceptedFromOthers) {
  MakeWithOpenSsl("-newkey rsa:3072 -subj /CN=alice -addext subjectAltName=DNS:alice");
  const auto request = SigningRequest::Load(File());
  ASSERT_THAT(request, IsOk());
  EXPECT_THAT(request->CheckIsFor(kAlice, "r.csr"), IsOk());
}

TEST_F(SigningRequestFile, MayNotAskForFurtherNames) {
  MakeWithOpenSsl("-newkey rsa:2048 -subj /CN=alice -addext subjectAltName=DNS:alice,DNS:bob");
  const auto request = SigningRequest::Load(File());
  ASSERT_THAT(request, IsOk());
  EXPECT_THAT(request->CheckIsFor(kAlice, "r.csr"),
              IsError(ErrorCode::kPermissionDenied, "asks for a certificate for \"bob\""));
}

TEST_F(SigningRequestFile, MayNotHaveTwoCommonNames) {
  MakeWithOpenSsl("-newkey rsa:2048 -subj /CN=alice/CN=bob");
  const auto request = SigningRequest::Load(File());
  ASSERT_THAT(request, IsOk());
  EXPECT_THAT(request->CheckIsFor(kAlice, "r.csr"),
              IsError(ErrorCode::kPermissionDenied, "asks for a certificate for \"\""));
}

TEST_F(SigningRequestFile, WithAWeakOrUnusualKeyIsRefused) {
  MakeWithOpenSsl("-newkey rsa:1024 -subj /CN=alice");
  EXPECT_THAT(SigningRequest::Load(File()),
              IsError(ErrorCode::kInvalidArgument, "its public key (1024 bits) is not accepted"));
  MakeWithOpenSsl("-newkey ed25519 -subj /CN=alice");
  EXPECT_THAT(SigningRequest::Load(File()),
              IsError(ErrorCode::kInvalidArgument, "is not accepted; expected RSA"));
}

TEST_F(SigningRequestFile, MustBeSignedWithItsOwnKey) {
  const auto key = PrivateKey::Generate();
  const auto other = PrivateKey::Generate();
  const auto request = SigningRequest::Create(*key, kAlice);
  // Another key under the old signature.
  X509_REQ_set_pubkey(request->get(), other->get());
  const BioPtr bio = WriteBio();
  ASSERT_EQ(PEM_write_bio_X509_REQ(bio.get(), request->get()), 1);
  EXPECT_THAT(SigningRequest::FromPem(BioText(bio.get()), "r.csr"),
              IsError(ErrorCode::kInvalidArgument, "the request's own signature is wrong"));
}

TEST_F(SigningRequestFile, MustBeARequest) {
  EXPECT_THAT(SigningRequest::FromPem("hello", "r.csr"),
              IsError(ErrorCode::kInvalidArgument, "r.csr: not a certificate request in PEM"));
}

}  // namespace
}  // namespace fx
