#include "pki/private_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

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

// Keys made by Debian's openssl, in a folder of their own.
class PrivateKeyFile : public testing::Test {
 protected:
  Path File() const { return folder_.path() / "k.key"; }
  Ran Make(const std::string& line) const {
    return RunCommand("cd " + folder_.path().string() + " && umask 077 && " + line);
  }

 private:
  TempDir folder_;
};

TEST_F(PrivateKeyFile, IsWrittenForItsOwnerAlone) {
  const auto key = PrivateKey::Generate();
  ASSERT_THAT(key, IsOk());
  ASSERT_THAT(key->Save(File()), IsOk());
  EXPECT_EQ(std::filesystem::status(File()).permissions(), std::filesystem::perms(0600));
  const Ran shown = Make("openssl pkey -in k.key -noout -text");
  EXPECT_THAT(shown.output, HasSubstr("(384 bit)"));
  EXPECT_THAT(Make("head -1 k.key").output, HasSubstr("-----BEGIN PRIVATE KEY-----"));

  const auto again = PrivateKey::Load(File());
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(EVP_PKEY_eq(again->get(), key->get()), 1);
}

TEST_F(PrivateKeyFile, IsReadInEveryUsualForm) {
  const std::pair<const char*, const char*> cases[] = {
      {"openssl genrsa -traditional -out k.key 2048", "BEGIN RSA PRIVATE KEY"},
      {"openssl genrsa -out k.key 2048", "BEGIN PRIVATE KEY"},
      {"openssl ecparam -name prime256v1 -genkey -out k.key", "BEGIN EC P"},
      {"openssl ecparam -name secp384r1 -genkey -noout -out k.key", "BEGIN EC PRIVATE KEY"},
  };
  for (const auto& [command, form] : cases) {
    ASSERT_EQ(Make(command).exit_code, 0);
    ASSERT_THAT(Make("head -1 k.key").output, HasSubstr(form));
    EXPECT_THAT(PrivateKey::Load(File()), IsOk()) << command;
  }
}

TEST_F(PrivateKeyFile, UnderAPassphraseIsRefusedWithoutAsking) {
  for (const char* command :
       {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -aes256 -pass pass:x "
        "-out k.key",
        "openssl genrsa -traditional -aes256 -passout pass:x -out k.key 2048"}) {
    ASSERT_EQ(Make(command).exit_code, 0);
    EXPECT_THAT(PrivateKey::Load(File()),
                IsError(ErrorCode::kInvalidArgument, "is locked with a passphrase"));
  }
}

TEST_F(PrivateKeyFile, UnderAPassphraseOpensWithItOnly) {
  const PrivateKey key = *PrivateKey::Generate();
  const SecretText passphrase("correct horse");
  ASSERT_THAT(key.Save(File(), &passphrase), IsOk());
  EXPECT_EQ(Make("head -1 k.key").output, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
  EXPECT_EQ(Make("openssl pkey -in k.key -noout -passin 'pass:correct horse'").exit_code, 0);
  EXPECT_THAT(Make("openssl asn1parse -in k.key").output,
              AllOf(HasSubstr("hmacWithSHA256"), HasSubstr("aes-256-cbc"),
                    HasSubstr("INTEGER           :0927C0")));  // 600,000 iterations
  const auto give = [](const char* text) {
    return
        [text](const std::string&) -> Result<SecretText> { return SecretText(std::string(text)); };
  };
  const auto again = PrivateKey::Load(File(), give("correct horse"));
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(EVP_PKEY_eq(again->get(), key.get()), 1);
  EXPECT_THAT(PrivateKey::Load(File(), give("wrong")),
              IsError(ErrorCode::kUnauthenticated, "the passphrase does not open"));
  EXPECT_THAT(PrivateKey::Load(File(),
                               [](const std::string& place) -> Result<SecretText> {
                                 return Fail(ErrorCode::kCancelled,
                                             "nobody knows that of " + place);
                               }),
              IsError(ErrorCode::kCancelled, "nobody knows that of " + File().string()));
}

TEST_F(PrivateKeyFile, IsNotACertificateRequest) {
  ASSERT_EQ(Make("openssl req -new -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=x -out "
                 "k.key")
                .exit_code,
            0);
  EXPECT_THAT(PrivateKey::Load(File()),
              IsError(ErrorCode::kInvalidArgument, "k.key: not a private key in PEM"));
}

TEST(SecretText, IsWipedWithItsSpareCapacity) {
  std::string text = "a secret that is too long for the small string buffer";
  const char* bytes = text.data();
  const std::size_t size = text.size();
  Wipe(text);
  EXPECT_TRUE(text.empty());
  ASSERT_EQ(text.data(), bytes);
  EXPECT_EQ(std::string_view(bytes, size), std::string(size, '\0'));
}

// Short strings keep their characters within themselves.
TEST(SecretText, LeavesNothingBehindWhereItWasMovedFrom) {
  std::string text = "geheim";
  const char* const bytes = text.data();
  const SecretText secret(std::move(text));
  EXPECT_EQ(std::string_view(bytes, 6), std::string(6, '\0'));
  EXPECT_EQ(secret.value(), "geheim");
}

}  // namespace
}  // namespace fx
