#include "tasks/loaders/picture_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/format.h"

namespace fx::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(value);
  return bytes;
}

// SOI, a segment whose two bytes look like EOI, SOS, a scan with a stuffed 0xFF and a restart, EOI.
std::string Jpeg() {
  return Bytes({0xFF, 0xD8, 0xFF, 0xE1, 0, 4,    0xFF, 0xD9, 0xFF, 0xDA, 0,
                2,    1,    0xFF, 0,    2, 0xFF, 0xD3, 3,    0xFF, 0xFF, 0xD9});
}

// An empty IEND after the signature; the checksum is that of every PNG's last chunk.
std::string Png() {
  return "\x89PNG\r\n\x1a\n" + Bytes({0, 0, 0, 0}) + "IEND" + Bytes({0xAE, 0x42, 0x60, 0x82});
}

TEST(PictureFault, FindsNoneInWholeFilesAndInWhatFollowsThem) {
  for (const std::string& whole : {Jpeg(), Png(), std::string("P5 # 9 9\n2 1\n255\nab")}) {
    EXPECT_THAT(PictureFault(whole), IsEmpty());
    EXPECT_THAT(PictureFault(whole + "and more"), IsEmpty());
  }
}

TEST(PictureFault, NoticesEveryMissingEnd) {
  for (const std::string& whole : {Jpeg(), Png(), std::string("P6\n1 1\n255\nabc")}) {
    const std::size_t told = whole.front() == 'P' ? 11 : 8;  // bytes of the header
    for (std::size_t size = told; size < whole.size(); ++size)
      EXPECT_THAT(PictureFault(whole.substr(0, size)), HasSubstr("truncated")) << size;
  }
}

TEST(PictureFault, LooksIntoTheHuffmanTablesOfAJpeg) {
  const auto with = [](const std::string& counts, std::size_t codes) {
    const std::string table = counts + std::string(17 - counts.size(), '\0');
    const std::size_t length = 2 + table.size() + codes;
    return Bytes({0xFF, 0xD8, 0xFF, 0xC4, static_cast<int>(length >> 8),
                  static_cast<int>(length & 255)}) +
           table + std::string(codes, '\1') + Bytes({0xFF, 0xD9});
  };
  const std::string two_codes("\0\1\1", 3);
  EXPECT_THAT(PictureFault(with(two_codes, 2)), IsEmpty());
  EXPECT_THAT(PictureFault(with(two_codes, 1)), HasSubstr("the Huffman tables at byte 4"));
  EXPECT_THAT(PictureFault(with("\x10\xFF\x02", 257)), HasSubstr("contradict themselves"));
}

TEST(PictureFault, RefusesOtherForms) {
  for (const char* other :
       {"", "GIF89a", "BM", "8BPS", "P3 1 1 255 1 2 3", "\xFF\xFF\xD8", "words"})
    EXPECT_EQ(PictureFault(other), "it begins like none that is read");
}

TEST(PictureFault, SaysWhatAPpmLacks) {
  EXPECT_EQ(PictureFault("P6\n2 3\n255\nabc"),
            "the file is truncated: 3 x 2 pixels need 18 bytes, and 3 are there");
}

TEST(PictureFault, RefusesAPpmOfNoSizeOrOfOneThatNobodyHas) {
  for (const char* size : {"0 1", "1 0", "4294967297 1", "1 99999999999999999999", "x"}) {
    EXPECT_THAT(PictureFault(format("P5 {} 255 abcdef", size)), HasSubstr("its header claims"));
  }
}

TEST(PictureFault, RefusesAPpmWhoseWhiteIsNoFullByte) {
  for (const int white : {0, 15, 256, 65535}) {
    EXPECT_THAT(PictureFault(format("P6 1 1 {} abcdef", white)),
                HasSubstr(format("white is {} in its header", white)));
  }
}

TEST(PictureFault, ChecksEveryChunkOfAPng) {
  for (std::size_t at = 12; at < Png().size(); ++at) {
    std::string png = Png();
    png[at] = static_cast<char>(png[at] ^ 1);
    EXPECT_EQ(PictureFault(png), "the checksum of the chunk at byte 8 is wrong") << at;
  }
}

}  // namespace
}  // namespace fx::test
