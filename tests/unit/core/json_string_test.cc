#include "core/base/json_string.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "core/base/random.h"

namespace fx {
namespace {

std::string JsonOf(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

TEST(JsonString, EscapesWhatWouldEndTheStringOrTheLine) {
  EXPECT_EQ(JsonOf(R"(say "hi" \o/)"), R"("say \"hi\" \\o/")");
  EXPECT_EQ(JsonOf("a\nb\x7f"), R"("a\u000ab\u007f")");
  EXPECT_EQ(JsonOf(""), R"("")");
}

TEST(JsonString, KeepsOtherAlphabets) {
  EXPECT_EQ(JsonOf("Zürich 東京 𝄞"), "\"Zürich 東京 𝄞\"");
}

TEST(JsonString, ReplacesEachByteThatIsNotUtf8) {
  EXPECT_EQ(JsonOf("a\xFF\x80z"), "\"a\xEF\xBF\xBD\xEF\xBF\xBDz\"");
  EXPECT_EQ(JsonOf("\xC3"), "\"\xEF\xBF\xBD\"");           // the first half of a character
  EXPECT_EQ(JsonOf("\xED\xA0\x80").size(), 2U + 9U);       // half of a surrogate pair
  EXPECT_EQ(JsonOf("\xC0\xAF").size(), 2U + 6U);           // a slash in two bytes
  EXPECT_EQ(JsonOf("\xF4\x90\x80\x80").size(), 2U + 12U);  // beyond the last character
}

TEST(JsonString, IsReadBackWhateverBytesItIsMadeOf) {
  RandomStream draw(1, "json");
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (std::uint64_t left = draw.Below(12); left > 0; --left) {
      text += static_cast<char>(draw.Below(256));
    }
    const auto read = nlohmann::json::parse(JsonOf(text), nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(read.is_string()) << JsonOf(text);
    bool is_ascii = true;
    for (const char c : text) is_ascii = is_ascii && static_cast<unsigned char>(c) < 0x80;
    if (!is_ascii) continue;
    ASSERT_EQ(read.get<std::string>(), text);
  }
}

}  // namespace
}  // namespace fx
