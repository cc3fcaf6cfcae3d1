// How PyYAML 6 puts one scalar on lines: which quotes, where it folds, what it escapes. Part of the
// canonical text of a plan (plan/canonical.h).
#pragma once

#include <string>
#include <string_view>

namespace fx {

// True if PyYAML writes the key as "key: value" on one line rather than as "? key": under 128
// characters with its tag, not empty, no line break.
bool IsSimpleKey(std::string_view text, std::size_t tag_size);

// Output with a column, as PyYAML's emitter keeps it: every decision to fold depends on it.
class LineWriter {
 public:
  // Punctuation. A space comes first if `spaced` and the last thing written was not one. `opens`:
  // what follows needs no space. `indents`: it counts as indentation (- ? :).
  void Indicator(std::string_view text, bool spaced, bool opens = false, bool indents = false);

  // Goes to column `indent`, on a new line unless nothing but indentation stands on this one.
  void Indent(int indent);

  // A scalar; continuation lines begin at column `indent`. Keys are never folded. True if it was
  // written without quotes.
  bool Scalar(std::string_view text, bool plain_allowed, bool is_key, int indent);

  // Nothing but indentation has been written on this line.
  bool only_indented() const { return only_indented_; }

  std::string text() && { return std::move(out_); }

 private:
  void Put(std::string_view ascii);
  void LineBreak();
  void Plain(std::string_view text, bool split, int indent);
  void SingleQuoted(std::string_view text, bool split, int indent);
  void DoubleQuoted(std::string_view utf8, bool split, int indent);
  void FoldQuoted(const std::string& pending, int indent, char32_t next);

  std::string out_;
  int column_ = 0;
  bool after_space_ = true;
  bool only_indented_ = true;
};

}  // namespace fx
