#include "plan/edit.h"

#include <algorithm>
#include <vector>

#include "core/base/format.h"
#include "plan/canonical.h"
#include "plan/yaml_value.h"

namespace fx {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
using Keys = std::vector<std::string>;

Keys SplitPath(std::string_view path) {
  Keys keys;
  while (true) {
    const std::size_t dot = path.find('.');
    keys.emplace_back(path.substr(0, dot));
    if (dot == std::string_view::npos) return keys;
    path.remove_prefix(dot + 1);
  }
}

// The tree the edited text must have: `value` at keys[depth...] of `node`, everything else as it
// is.
YamlRef WithValue(const YamlRef& node, const Keys& keys, std::size_t depth, const YamlRef& value) {
  if (depth == keys.size()) return value;
  auto copy = node ? std::make_shared<YamlValue>(*node) : std::make_shared<YamlValue>();
  copy->scalar.kind = YamlKind::kMapping;
  for (YamlEntry& entry : copy->entries) {
    if (!entry.key->is_string() || entry.key->scalar.text != keys[depth]) continue;
    entry.value = WithValue(entry.value, keys, depth + 1, value);
    return copy;
  }
  auto key = std::make_shared<YamlValue>();
  key->scalar = {.kind = YamlKind::kString, .text = keys[depth]};
  copy->entries.push_back({std::move(key), WithValue(nullptr, keys, depth + 1, value)});
  return copy;
}

std::size_t LastOffset(const YamlValue& value) {
  std::size_t last = value.offset;
  for (const YamlRef& item : value.items) last = std::max(last, LastOffset(*item));
  for (const YamlEntry& entry : value.entries) {
    last = std::max({last, entry.key->offset, LastOffset(*entry.value)});
  }
  return last;
}

// Proposes texts that may be the edit; the caller keeps the first that reads as meant.
class Proposals {
 public:
  Proposals(std::string_view text, YamlRef root, const Keys& keys, std::string_view scalar)
      : text_(text), keys_(keys), scalar_(scalar), found_(std::move(root)) {
    while (depth_ < keys_.size()) {
      const YamlEntry* entry = FindEntry(*found_, keys_[depth_]);
      if (entry == nullptr) break;
      key_ = entry->key;
      found_ = entry->value;
      ++depth_;
    }
  }

  std::vector<std::string> All() {
    if (depth_ == keys_.size())
      Replace();
    else if (found_->is_null())
      AddUnderNothing();
    else if (found_->is_mapping() && At(found_->offset) == '{')
      AddInBraces();
    else if (found_->is_mapping())
      AddToBlock();
    return std::move(proposals_);
  }

 private:
  static const YamlEntry* FindEntry(const YamlValue& mapping, std::string_view key) {
    for (const YamlEntry& entry : mapping.entries) {
      if (entry.key->is_string() && entry.key->scalar.text == key) return &entry;
    }
    return nullptr;
  }

  char At(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  std::size_t LineStart(std::size_t i) const {
    const std::size_t before = text_.substr(0, i).rfind('\n');
    return before == std::string_view::npos ? 0 : before + 1;
  }
  // After the line feed of the line of `i`.
  std::size_t NextLine(std::size_t i) const {
    const std::size_t end = text_.find('\n', i);
    return end == std::string_view::npos ? text_.size() : end + 1;
  }

  void Propose(std::size_t at, std::size_t removed, const std::string& inserted) {
    if (at > text_.size()) return;
    std::string edited(text_.substr(0, at));
    edited += inserted;
    edited += text_.substr(std::min(at + removed, text_.size()));
    proposals_.push_back(std::move(edited));
  }

  // The end of a scalar that begins at `begin` and stands on one line.
  std::size_t ScalarEnd(const YamlValue& scalar) const {
    const char quote = At(scalar.offset);
    if (quote != '"' && quote != '\'') return scalar.offset + scalar.source.size();
    std::size_t i = scalar.offset + 1;
    while (i < text_.size() && text_[i] != quote) i += quote == '"' && text_[i] == '\\' ? 2U : 1U;
    const bool doubled = quote == '\'' && At(i + 1) == '\'';
    if (!doubled) return i + 1;
    return text_.find('\n', i);  // '' inside: left to people
  }

  void Replace() {
    const std::size_t at = found_->offset;
    if (!found_->is_null()) return Propose(at, ScalarEnd(*found_) - at, std::string(scalar_));
    for (const std::string_view word : {"null", "Null", "NULL", "~"}) {
      if (text_.substr(std::min(at, text_.size())).starts_with(word)) {
        Propose(at, word.size(), std::string(scalar_));
      }
    }
    const std::size_t colon = text_.find(':', ScalarEnd(*key_));
    if (colon != std::string_view::npos) Propose(colon + 1, 0, " " + std::string(scalar_));
  }

  // The keys still to be made, a line each, the first at column `indent`.
  std::string Block(std::size_t indent) const {
    std::string lines;
    for (std::size_t i = depth_; i < keys_.size(); ++i) {
      lines += std::string(indent + 2 * (i - depth_), ' ') + keys_[i] + ":";
      lines += i + 1 == keys_.size() ? " " + std::string(scalar_) + "\n" : "\n";
    }
    return lines;
  }

  void AddUnderNothing() {
    if (!key_) return Propose(text_.size(), 0, Separator(text_.size()) + Block(0));
    const std::size_t column = key_->offset - LineStart(key_->offset);
    const std::size_t next = NextLine(key_->offset);
    Propose(next, 0, Separator(next) + Block(column + 2));
  }

  void AddInBraces() {
    std::string flow;
    for (std::size_t i = depth_; i < keys_.size(); ++i) {
      flow += keys_[i] + ": " + (i + 1 == keys_.size() ? std::string(scalar_) : "{");
    }
    flow += std::string(keys_.size() - depth_ - 1, '}');
    Propose(found_->offset + 1, 0, flow + (found_->entries.empty() ? "" : ", "));
  }

  void AddToBlock() {
    const std::size_t start = LineStart(found_->offset);
    const std::size_t indent = found_->offset - start;
    const std::size_t end = NextLine(LastOffset(*found_));
    Propose(end, 0, Separator(end) + Block(indent));
    Propose(start, 0, Block(indent));
  }

  std::string Separator(std::size_t at) const {
    return at > 0 && at == text_.size() && text_.back() != '\n' ? "\n" : "";
  }

  std::string_view text_;
  const Keys& keys_;
  std::string_view scalar_;
  YamlRef found_;  // the deepest value that exists
  YamlRef key_;    // its key; null for the document
  std::size_t depth_ = 0;
  std::vector<std::string> proposals_;
};

bool IsOneLineScalar(const YamlValue& value, std::string_view text) {
  return !value.is_mapping() && !value.is_sequence() && !text.empty() &&
         text.find_first_of("\n\r#") == std::string_view::npos;
}

}  // namespace

Result<std::string> SetPlanValue(std::string_view yaml_text, std::string_view path,
                                 std::string_view scalar) {
  const bool has_mark = yaml_text.starts_with(kByteOrderMark);
  if (has_mark) yaml_text.remove_prefix(kByteOrderMark.size());
  const YamlRef root = TRY(ParseYaml(yaml_text, "the plan"));
  const YamlRef value = TRY(ParseYaml(scalar, "the new value"));
  if (!IsOneLineScalar(*value, scalar)) {
    return Fail(
        ErrorCode::kInvalidArgument,
        format("cannot set {} to {}, expected one word, number or quoted text", path, scalar));
  }
  const Keys keys = SplitPath(path);
  const std::string wanted = CanonicalYaml(*WithValue(root, keys, 0, value));
  for (const std::string& edited : Proposals(yaml_text, root, keys, scalar).All()) {
    const Result<YamlRef> reread = ParseYaml(edited, "the plan");
    if (reread && CanonicalYaml(**reread) == wanted) {
      return std::string(has_mark ? kByteOrderMark : "") + edited;
    }
  }
  return Fail(
      Error(ErrorCode::kFailedPrecondition,
            format("cannot set {} without disturbing the rest of the file: it is written over "
                   "several lines, or shared by an anchor",
                   path))
          .Hint(format("write `{}: {}` on a line of its own there", keys.back(), scalar)));
}

}  // namespace fx
