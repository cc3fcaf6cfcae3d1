#include "core/base/digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>

#include "core/base/file.h"
#include "core/base/format.h"
#include "tests/support/matchers.h"

namespace fx {
namespace {

// The first word a program prints.
std::string FirstWordOf(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
  char word[200] = "";
  return pipe && fscanf(pipe.get(), "%199s", word) == 1 ? word : "";
}

template <typename Digest>
std::string InPieces(std::string_view text, std::size_t piece) {
  Digest digest;
  for (std::size_t i = 0; i < text.size(); i += piece) {
    digest.Update(AsBytes(text.substr(i, piece)));
  }
  return std::move(digest).FinishHex();
}

// FIPS 180-4 examples, as published by NIST with the standard.
TEST(Sha256, AgreesWithTheStandard) {
  EXPECT_EQ(Sha256Hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex(AsBytes("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex(AsBytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256Hex(AsBytes(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha384, AgreesWithTheStandard) {
  EXPECT_EQ(Sha384Hex("abc"),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
            "8086072ba1e7cc2358baeca134c825a7");
}

TEST(Sha256, OfPiecesIsThatOfTheWhole) {
  const std::string text(1000, 'x');
  for (const std::size_t piece : {1U, 7U, 63U, 64U, 65U, 999U, 1000U}) {
    EXPECT_EQ(InPieces<Sha256>(text, piece), Sha256Hex(AsBytes(text))) << piece;
  }
}

TEST(Sha256, AgreesWithSha256sum) {
  const TempDir dir;
  const Path path = dir.path() / "bytes";
  std::string bytes;
  for (unsigned i = 0; i < 100'003; ++i) bytes += static_cast<char>(i * i % 251);
  ASSERT_THAT(AtomicWrite(path, bytes), test::IsOk());
  EXPECT_EQ(FirstWordOf(format("/usr/bin/sha256sum {}", path.string())), Sha256Hex(AsBytes(bytes)));
}

// Test vectors of xxHash's own suite (seed 0): the empty input, printed in canonical order.
TEST(FastDigest, IsXxh3Of128Bits) {
  EXPECT_EQ(FastDigest().FinishHex(), "99aa06d3014798d86001c324468d497f");
}

TEST(FastDigest, OfPiecesIsThatOfTheWhole) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += static_cast<char>(i % 127);
  const std::string whole = InPieces<FastDigest>(text, text.size());
  EXPECT_EQ(whole.size(), 32U);
  for (const std::size_t piece : {1U, 17U, 240U, 241U, 1024U, 4999U}) {
    EXPECT_EQ(InPieces<FastDigest>(text, piece), whole) << piece;
  }
}

TEST(FastDigest, ChangesWithEveryByte) {
  const std::string text(300, 'x');
  const std::string whole = InPieces<FastDigest>(text, 300);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = 'y';
    EXPECT_NE(InPieces<FastDigest>(other, 300), whole) << i;
  }
}

TEST(Hex, IsLowerCaseAndKeepsLeadingZeros) {
  EXPECT_EQ(Hex(AsBytes(std::string_view("\x00\x0f\xa9\xff", 4))), "000fa9ff");
}

}  // namespace
}  // namespace fx
