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
  EXPECT_THAT(PictureFault("no picture at all"), IsEmpty()) << "others will say so";
}

TEST(PictureFault, NoticesEveryMissingEnd) {
  for (const std::string& whole : {Jpeg(), Png(), std::string("P6\n1 1\n65535\nabcdef")}) {
    const std::size_t told = whole.front() == 'P' ? 6 : 8;  // bytes that tell form and size
    for (std::size_t size = told; size < whole.size(); ++size)
      EXPECT_THAT(PictureFault(whole.substr(0, size)), HasSubstr("truncated")) << size;
  }
}

TEST(PictureFault, SaysWhatAPpmLacks) {
  EXPECT_EQ(PictureFault("P6\n2 3\n255\nabc"),
            "the file is truncated: 3 x 2 pixels need 18 bytes, and 3 are there");
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
