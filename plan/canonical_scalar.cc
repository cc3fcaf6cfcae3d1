#include "plan/canonical_scalar.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/base/format.h"

namespace fx {
namespace {

constexpr int kWidth = 80;
constexpr std::size_t kLongestKey = 128;

std::vector<char32_t> CodePoints(std::string_view utf8) {
  std::vector<char32_t> points;
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) != 0x80) {
      const unsigned mask = byte < 0x80 ? 0x7F : byte < 0xE0 ? 0x1F : byte < 0xF0 ? 0x0F : 0x07;
      points.push_back(byte & mask);
    } else if (!points.empty()) {
      points.back() = (points.back() << 6U) | (byte & 0x3FU);
    }
  }
  return points;
}

// What a text allows. Outside of double quotes there is only printable ASCII, and line feeds.
struct Analysis {
  bool multiline = false;
  bool plain = true;
  bool single_quoted = true;
};

bool IsBlank(char c) {
  return c == ' ' || c == '\n' || c == '\0' || c == '\t' || c == '\r';
}

// Whether punctuation at `i` would be read as structure.
bool IsIndicator(std::string_view text, std::size_t i) {
  const bool blank_after = i + 1 >= text.size() || IsBlank(text[i + 1]);
  if (i == 0) {
    if (std::string_view("#,[]{}&*!|>'\"%@`").find(text[0]) != std::string_view::npos) return true;
    return blank_after && (text[0] == '?' || text[0] == ':' || text[0] == '-');
  }
  return (text[i] == ':' && blank_after) || (text[i] == '#' && IsBlank(text[i - 1]));
}

Analysis Analyze(std::string_view text) {
  Analysis a;
  if (text.empty()) return a;
  for (const std::string_view line_break : {"\n", "\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"}) {
    if (text.find(line_break) != std::string_view::npos) a.multiline = true;
  }
  const auto edge = [](char c) { return c == ' ' || c == '\n'; };
  if (edge(text.front()) || edge(text.back())) a.plain = false;
  if (text.starts_with("---") || text.starts_with("...")) a.plain = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (IsIndicator(text, i)) a.plain = false;
    if (c == '\n') {
      a.plain = false;
    } else if (c < ' ' || c > '~') {
      a.plain = a.single_quoted = false;
    }
    if (i == 0) continue;
    const bool space_meets_break =
        (c == ' ' && text[i - 1] == '\n') || (c == '\n' && text[i - 1] == ' ');
    if (space_meets_break) a.plain = a.single_quoted = false;
  }
  return a;
}

std::string Escape(char32_t c) {
  static constexpr std::array<std::pair<char32_t, char>, 15> kNamed{{{0, '0'},
                                                                     {7, 'a'},
                                                                     {8, 'b'},
                                                                     {9, 't'},
                                                                     {10, 'n'},
                                                                     {11, 'v'},
                                                                     {12, 'f'},
                                                                     {13, 'r'},
                                                                     {27, 'e'},
                                                                     {'"', '"'},
                                                                     {'\\', '\\'},
                                                                     {0x85, 'N'},
                                                                     {0xA0, '_'},
                                                                     {0x2028, 'L'},
                                                                     {0x2029, 'P'}}};
  for (const auto& [point, letter] : kNamed) {
    if (c == point) return {'\\', letter};
  }
  const auto value = static_cast<unsigned>(c);
  if (c <= 0xFF) return format("\\x{:02X}", value);
  return c <= 0xFFFF ? format("\\u{:04X}", value) : format("\\U{:08X}", value);
}

}  // namespace

bool IsSimpleKey(std::string_view text, std::size_t tag_size) {
  return !text.empty() && !Analyze(text).multiline &&
         CodePoints(text).size() + tag_size < kLongestKey;
}

void LineWriter::Put(std::string_view ascii) {
  out_ += ascii;
  column_ += static_cast<int>(ascii.size());
}

void LineWriter::Indicator(std::string_view text, bool spaced, bool opens, bool indents) {
  if (spaced && !after_space_) Put(" ");
  Put(text);
  after_space_ = opens;
  only_indented_ = only_indented_ && indents;
}

void LineWriter::LineBreak() {
  out_ += '\n';
  column_ = 0;
  after_space_ = only_indented_ = true;
}

void LineWriter::Indent(int indent) {
  if (!only_indented_ || column_ > indent || (column_ == indent && !after_space_)) LineBreak();
  if (column_ >= indent) return;
  Put(std::string(static_cast<std::size_t>(indent - column_), ' '));
  after_space_ = true;
}

bool LineWriter::Scalar(std::string_view text, bool plain_allowed, bool is_key, int indent) {
  const Analysis analysis = Analyze(text);
  const bool one_line = !is_key || (!text.empty() && !analysis.multiline);
  if (plain_allowed && analysis.plain && one_line) {
    Plain(text, !is_key, indent);
    return true;
  }
  if (analysis.single_quoted && !(is_key && analysis.multiline))
    SingleQuoted(text, !is_key, indent);
  else
    DoubleQuoted(text, !is_key, indent);
  return false;
}

// Folds at a single space once the line is past the width.
void LineWriter::Plain(std::string_view text, bool split, int indent) {
  if (text.empty()) return;
  if (!after_space_) Put(" ");
  after_space_ = only_indented_ = false;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    Put(word);
    text.remove_prefix(word.size());
    const std::size_t spaces = std::min(text.find_first_not_of(' '), text.size());
    if (spaces == 1 && column_ > kWidth && split) {
      Indent(indent);
      after_space_ = only_indented_ = false;
    } else {
      Put(text.substr(0, spaces));
    }
    text.remove_prefix(spaces);
  }
}

void LineWriter::SingleQuoted(std::string_view text, bool split, int indent) {
  Indicator("'", true);
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    const std::size_t run =
        c == ' ' || c == '\n' ? std::min(text.find_first_not_of(c, i), text.size()) - i : 1;
    if (c == ' ') {
      const bool inside = i != 0 && i + run != text.size();
      if (run == 1 && column_ > kWidth && split && inside)
        Indent(indent);
      else
        Put(text.substr(i, run));
    } else if (c == '\n') {
      for (std::size_t n = 0; n < run + 1; ++n) LineBreak();
      Indent(indent);
    } else {
      Put(c == '\'' ? std::string_view("''") : text.substr(i, 1));
    }
    i += run;
  }
  Indicator("'", false);
}

void LineWriter::FoldQuoted(const std::string& pending, int indent, char32_t next) {
  Put(pending + "\\");
  Indent(indent);
  after_space_ = only_indented_ = false;
  if (next == ' ') Put("\\");
}

// Folds with a backslash: before a space, or after an escape, once what is pending would end past
// the width.
void LineWriter::DoubleQuoted(std::string_view utf8, bool split, int indent) {
  const std::vector<char32_t> text = CodePoints(utf8);
  Indicator("\"", true);
  std::string pending;
  for (std::size_t end = 0; end <= text.size(); ++end) {
    const bool at_end = end == text.size();
    const char32_t c = at_end ? 0 : text[end];
    const bool escaped = !at_end && (c == '"' || c == '\\' || c < ' ' || c > '~');
    if (at_end || escaped) {
      Put(pending);
      pending.clear();
      if (escaped) Put(Escape(c));
    }
    // PyYAML counts one column less right after an escape.
    const int waiting = escaped ? -1 : static_cast<int>(pending.size());
    const bool may_fold =
        split && end > 0 && end + 1 < text.size() && (c == ' ' || escaped || pending.empty());
    if (may_fold && column_ + waiting > kWidth) {
      FoldQuoted(pending, indent, escaped ? text[end + 1] : c);
      pending.clear();
    }
    if (!at_end && !escaped) pending += static_cast<char>(c);
  }
  Indicator("\"", false);
}

}  // namespace fx
