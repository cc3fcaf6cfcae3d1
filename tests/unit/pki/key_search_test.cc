// Keys made by Debian's openssl, in files whose names do not say what they are.
#include "pki/key_search.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "core/base/file.h"
#include "tests/support/must.h"
#include "tests/support/run_command.h"

namespace fx {
namespace {

using test::Must;
using test::RunCommand;

class KeySearch : public testing::Test {
 protected:
  void SetUp() override {
    Make("openssl ecparam -name secp384r1 -genkey -noout -out ec.pem");
    Make("openssl genrsa -traditional -out rsa.pem 2048");
    Make("openssl req -x509 -new -key ec.pem -subj /CN=x -days 9 -out x.crt");
  }
  void Make(const std::string& line) const {
    const auto ran = RunCommand("cd " + folder_.path().string() + " && umask 077 && " + line);
    ASSERT_EQ(ran.exit_code, 0) << line << ran.output;
  }
  // What the command has written to "out" is found to be.
  std::string Found(const std::string& line) const {
    Make(line);
    return std::string(PrivateKeyIn(Written()));
  }
  std::string Written() const { return Must(ReadFile(folder_.path() / "out")); }

 private:
  TempDir folder_;
};

TEST_F(KeySearch, FindsPemWhereverItIsInAFile) {
  EXPECT_EQ(Found("cp rsa.pem out"), "a private key in PEM");
  EXPECT_EQ(Found("(cat x.crt ec.pem; echo end) > out"), "a private key in PEM");
  EXPECT_EQ(Found("openssl pkcs8 -topk8 -in ec.pem -passout pass:x -out out"),
            "a private key in PEM");
  EXPECT_EQ(Found("(head -c 2000000 /dev/zero; cat ec.pem) > out"), "a private key in PEM");
  EXPECT_EQ(PrivateKeyIn("-----BEGIN OPENSSH PRIVATE KEY-----\n"), "a private key in PEM");
  EXPECT_EQ(PrivateKeyIn("-----BEGIN PGP PRIVATE KEY BLOCK-----\n"), "a private key in PEM");
}

// As PowerShell writes it, and as it stands in a kubeconfig or a Secret.
TEST_F(KeySearch, FindsPemInAnotherCode) {
  EXPECT_EQ(Found("iconv -t UTF-16 ec.pem > out"), "a private key in PEM");
  EXPECT_EQ(Found("iconv -t UTF-16BE rsa.pem > out"), "a private key in PEM");
  EXPECT_EQ(Found("iconv -t UTF-16 x.crt > out"), "");
  for (const std::string before : {"", "a", "bc"}) {
    const std::string pem = "(printf '" + before + "'; cat ec.pem)";
    EXPECT_EQ(Found("(printf 'client-key-data: '; " + pem + " | base64 -w 0) > out"),
              "a private key in base64");
    EXPECT_EQ(Found(pem + " | base64 -w 24 | sed 's/^/    /; s/$/\\r/' > out"),
              "a private key in base64");
    EXPECT_EQ(
        Found("printf -- '" + before + "-----BEGIN PGP PRIVATE KEY BLOCK-----' | base64 > out"),
        "a private key in base64");
  }
  EXPECT_EQ(Found("base64 x.crt > out"), "");
}

TEST_F(KeySearch, FindsEveryFormOfDer) {
  for (const char* const line : {
           "openssl ec -in ec.pem -outform DER -out out",
           "openssl rsa -in rsa.pem -traditional -outform DER -out out",
           "openssl pkcs8 -topk8 -nocrypt -in ec.pem -outform DER -out out",
           "openssl pkcs8 -topk8 -nocrypt -in rsa.pem -outform DER -out out",
           "openssl pkcs8 -topk8 -in rsa.pem -passout pass:x -outform DER -out out",
           "openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -in ec.pem -passout pass:x -outform DER -out "
           "out",
           "openssl genpkey -algorithm ed25519 -outform DER -out out",
           "(openssl ec -in ec.pem -outform DER; echo) > out",
       }) {
    EXPECT_EQ(Found(line), "a private key in DER") << line;
  }
}

// What begins with a length that is not told, and ends with two zeros (X.690, clause 8.1.3.6).
std::string WithLengthUntold(std::string_view der) {
  const auto first = static_cast<unsigned char>(der[1]);
  const std::size_t header = first < 0x80 ? 2 : 2 + (first & 0x7FU);
  return std::string("\x30\x80", 2) + std::string(der.substr(header)) + std::string(2, '\0');
}

TEST_F(KeySearch, FindsBerAsWell) {
  Make("openssl pkcs12 -export -inkey ec.pem -in x.crt -passout pass:x -out out");
  EXPECT_EQ(PrivateKeyIn(WithLengthUntold(Written())), "a PKCS#12 store of keys");
  for (const char* const line : {
           "openssl ec -in ec.pem -outform DER -out out",
           "openssl rsa -in rsa.pem -traditional -outform DER -out out",
           "openssl pkcs8 -topk8 -nocrypt -in rsa.pem -outform DER -out out",
           "openssl pkcs8 -topk8 -in ec.pem -passout pass:x -outform DER -out out",
       }) {
    Make(line);
    EXPECT_EQ(PrivateKeyIn(WithLengthUntold(Written())), "a private key in DER") << line;
  }
  Make("openssl x509 -in x.crt -outform DER -out out");
  EXPECT_EQ(PrivateKeyIn(WithLengthUntold(Written())), "");
}

TEST_F(KeySearch, FindsStoresOfKeys) {
  const std::string store = "openssl pkcs12 -export -inkey ec.pem -in x.crt -passout pass:x";
  EXPECT_EQ(Found(store + " -out out"), "a PKCS#12 store of keys");
  EXPECT_EQ(Found(store + " -keypbe NONE -certpbe NONE -nomac -out out"),
            "a PKCS#12 store of keys");
  EXPECT_EQ(PrivateKeyIn(std::string("\xFE\xED\xFE\xED\0\0\0\2", 8)), "a Java store of keys");
  EXPECT_EQ(PrivateKeyIn("PuTTY-User-Key-File-3: ssh-ed25519\n"), "a private key of PuTTY");
}

TEST_F(KeySearch, FindsNothingInWhatIsNone) {
  for (const char* const line : {
           "cp x.crt out",
           "openssl x509 -in x.crt -outform DER -out out",
           "openssl pkey -in ec.pem -pubout -outform DER -out out",
           "openssl req -new -key ec.pem -subj /CN=x -outform DER -out out",
           "openssl dhparam -dsaparam -outform DER -out out 512",
           "printf '0\\202' > out",
           "printf '0\\003\\002\\001\\000' > out",
           "head -c 3000 /dev/zero | tr '\\0' 0 > out",
           "printf 'names,of,people\\n' > out",
           ": > out",
       }) {
    EXPECT_EQ(Found(line), "") << line;
  }
}

// A DigestInfo (RFC 8017, appendix A.2.4) has the form of a locked key.
TEST_F(KeySearch, TellsADigestFromALockedKey) {
  std::string digest("\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
                     19);
  digest.append(32, 'x');
  EXPECT_EQ(PrivateKeyIn(digest), "");
}

}  // namespace
}  // namespace fx
