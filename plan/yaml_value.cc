#include "plan/yaml_value.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "core/base/format.h"
#include "plan/complaints.h"
#include "plan/yaml_text.h"

namespace fx {
namespace {

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

// A text that is equal for keys that Python takes for the same: 1, 1.0 and true are one key.
std::string KeyId(const YamlValue& key) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  const YamlScalar& s = key.scalar;
  if (s.kind == YamlKind::kBool) return s.boolean ? "n1" : "n0";
  if (s.kind == YamlKind::kInteger) return format("n{}", s.integer);
  if (s.kind == YamlKind::kFloat) {
    const bool whole = s.real == std::trunc(s.real) && s.real >= -kTwoTo63 && s.real < kTwoTo63;
    return whole ? format("n{}", static_cast<std::int64_t>(s.real)) : "n" + PythonFloat(s.real);
  }
  return key.is_null() ? "null" : "s" + s.text;
}

// yaml-cpp 0.7 turns the escapes \N and \_ into the bare bytes 85 and A0, which are no UTF-8: makes
// them the characters U+0085 and U+00A0. Everything else in `text` is UTF-8.
std::string RepairEscapes(const std::string& text) {
  std::string repaired;
  std::size_t rest_of_character = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0xC0)
      rest_of_character = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : 1;
    else if (byte >= 0x80 && rest_of_character > 0)
      --rest_of_character;
    else if (byte >= 0x80)
      repaired += '\xC2';
    repaired += c;
  }
  return repaired;
}

// `tag` is what yaml-cpp says: "?" for a plain scalar, "!" for a quoted one, else written out.
Result<YamlScalar> Resolve(std::string_view tag, std::string_view text) {
  if (tag == "?") return ResolvePlain(text);
  if (tag.starts_with(kTagPrefix)) return ResolveTagged(tag.substr(kTagPrefix.size()), text);
  if (tag == "!") return ResolveTagged("str", text);
  return Fail(ErrorCode::kInvalidArgument,
              format("the tag {} is unknown; write the value without it", tag));
}

// Builds the tree from the parser's events.
class Builder : public YAML::EventHandler {
 public:
  Builder(std::string_view text, const std::string& file, Complaints& complaints)
      : text_(text), file_(std::make_shared<const std::string>(file)), complaints_(complaints) {}

  YamlRef root() const { return stopped_ ? nullptr : root_; }
  bool stopped() const { return stopped_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  // yaml-cpp takes more into a name than other parsers: "&a:" would be the anchor "a:".
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    constexpr std::string_view kNameLetters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    if (stopped_) return;
    const int line = mark.line + 1;
    if (name.find_first_not_of(kNameLetters) != std::string::npos) {
      complaints_.Add(*file_, line,
                      format("the anchor &{} may only have letters, digits, - and _", name));
    }
    const auto [it, fresh] = anchor_lines_.emplace(name, line);
    if (fresh) return;
    complaints_.Add(*file_, line,
                    format("the anchor &{} is defined twice, first on line {}; give it "
                           "another name",
                           name, it->second));
  }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (stopped_) return;
    std::shared_ptr<YamlValue> value = NewValue(mark, YamlKind::kNull);
    // A value that is not written stands, for yaml-cpp, where the next word is: better at its key.
    if (!stack_.empty() && stack_.back().key && !IsNullWord(value->offset)) {
      value->line = stack_.back().key->line;
      value->offset = stack_.back().key->offset;
    }
    Place(std::move(value), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (stopped_) return;
    const auto found = anchors_.find(anchor);
    if (found != anchors_.end()) return Attach(found->second);
    complaints_.Add(*file_, mark.line + 1,
                    "an alias (*) refers to a value that contains it; "
                    "write the value out instead");
    Attach(NewValue(mark, YamlKind::kNull));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override;

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, YamlKind::kSequence, "seq");
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, YamlKind::kMapping, "map");
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Frame {
    std::shared_ptr<YamlValue> value;
    YAML::anchor_t anchor = 0;
    YamlRef key;                                         // of a mapping: waits for its value
    std::vector<YamlRef> merged;                         // values of `<<` keys
    std::unordered_map<std::string, std::size_t> index;  // KeyId -> position in entries
  };

  std::shared_ptr<YamlValue> NewValue(const YAML::Mark& mark, YamlKind kind) const;
  bool IsNullWord(std::size_t offset) const;
  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlKind kind,
            std::string_view expected_tag);
  void Close();
  void Place(std::shared_ptr<YamlValue> value, YAML::anchor_t anchor);
  void Attach(YamlRef value);
  void AttachToMapping(Frame& frame, YamlRef value);
  void Merge(Frame& frame);
  void MergeFrom(const YamlValue& source, std::vector<YamlEntry>& entries,
                 std::unordered_map<std::string, std::size_t>& index);
  std::size_t ExpandedSize(const YamlValue& value) const;
  void Stop(int line, std::string text);
  std::string PathHere() const;

  std::string_view text_;
  std::shared_ptr<const std::string> file_;
  Complaints& complaints_;
  std::vector<Frame> stack_;
  YamlRef root_;
  std::map<YAML::anchor_t, YamlRef> anchors_;
  std::map<std::string, int> anchor_lines_;
  std::unordered_map<const YamlValue*, std::size_t> expanded_;  // containers
  std::size_t merged_entries_ = 0;
  bool stopped_ = false;
};

std::shared_ptr<YamlValue> Builder::NewValue(const YAML::Mark& mark, YamlKind kind) const {
  auto value = std::make_shared<YamlValue>();
  value->scalar.kind = kind;
  value->file = file_;
  value->line = mark.line + 1;
  value->offset = static_cast<std::size_t>(std::max(mark.pos, 0));
  return value;
}

bool Builder::IsNullWord(std::size_t offset) const {
  const std::string_view rest = text_.substr(std::min(offset, text_.size()));
  return rest.starts_with("~") || rest.starts_with("null") || rest.starts_with("Null") ||
         rest.starts_with("NULL");
}

void Builder::Stop(int line, std::string text) {
  complaints_.Add(*file_, line, std::move(text));
  stopped_ = true;
}

std::string Builder::PathHere() const {
  std::string path;
  for (const Frame& frame : stack_) {
    if (frame.value->is_sequence())
      path += format("[{}]", frame.value->items.size());
    else if (frame.key)
      path += (path.empty() ? "" : ".") + KeyText(*frame.key);
  }
  return path.empty() ? "the document" : path;
}

void Builder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       const std::string& raw_text) {
  if (stopped_) return;
  const std::string text = RepairEscapes(raw_text);
  auto value = NewValue(mark, YamlKind::kString);
  value->source = text;
  value->quoted = tag != "?";
  const bool merge_key = text == "<<" && tag == "?" && !stack_.empty() &&
                         stack_.back().value->is_mapping() && !stack_.back().key;
  Result<YamlScalar> scalar = merge_key ? ResolveTagged("str", text) : Resolve(tag, text);
  if (scalar)
    value->scalar = *std::move(scalar);
  else
    complaints_.Add(*value, format("{}: {}", PathHere(), scalar.error().message()));
  Place(std::move(value), anchor);
}

void Builder::Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                   YamlKind kind, std::string_view expected_tag) {
  if (stopped_) return;
  auto value = NewValue(mark, kind);
  if (stack_.size() >= kMaxYamlDepth) {
    return Stop(value->line, format("values are nested more than {} deep", kMaxYamlDepth));
  }
  if (tag != "?" && tag != "!" && tag != std::string(kTagPrefix) + std::string(expected_tag)) {
    complaints_.Add(
        *value, format("{}: the tag {} does not fit; write the value without it", PathHere(), tag));
  }
  stack_.push_back(
      {.value = std::move(value), .anchor = anchor, .key = {}, .merged = {}, .index = {}});
}

void Builder::Close() {
  if (stopped_) return;
  Frame frame = std::move(stack_.back());
  stack_.pop_back();
  if (!frame.merged.empty()) Merge(frame);
  if (stopped_) return;
  std::size_t size = 1;
  for (const YamlRef& item : frame.value->items) size += ExpandedSize(*item);
  for (const YamlEntry& entry : frame.value->entries) {
    size += ExpandedSize(*entry.key) + ExpandedSize(*entry.value);
  }
  if (size > kMaxYamlValues) {
    return Stop(frame.value->line, format("the document holds more than {} values with its aliases "
                                          "written out",
                                          kMaxYamlValues));
  }
  expanded_[frame.value.get()] = size;
  Place(std::move(frame.value), frame.anchor);
}

std::size_t Builder::ExpandedSize(const YamlValue& value) const {
  if (!value.is_mapping() && !value.is_sequence()) return 1 + value.source.size() / kYamlValueBytes;
  const auto found = expanded_.find(&value);
  return found == expanded_.end() ? 1 : found->second;
}

void Builder::Place(std::shared_ptr<YamlValue> value, YAML::anchor_t anchor) {
  if (anchor != 0) anchors_[anchor] = value;
  Attach(std::move(value));
}

void Builder::Attach(YamlRef value) {
  if (stack_.empty()) {
    root_ = std::move(value);
  } else if (Frame& frame = stack_.back(); frame.value->is_sequence()) {
    frame.value->items.push_back(std::move(value));
  } else {
    AttachToMapping(frame, std::move(value));
  }
}

void Builder::AttachToMapping(Frame& frame, YamlRef value) {
  if (!frame.key) {
    if (value->is_mapping() || value->is_sequence() || value->kind() == YamlKind::kTimestamp) {
      Stop(value->line, format("{}: a key is {}, expected a name", PathHere(), Describe(*value)));
      return;
    }
    frame.key = std::move(value);
    return;
  }
  const YamlRef key = frame.key;
  if (!key->quoted && key->source == "<<") {
    frame.merged.push_back(std::move(value));
  } else if (const auto [it, fresh] = frame.index.emplace(KeyId(*key), frame.value->entries.size());
             fresh) {
    frame.value->entries.push_back({key, std::move(value)});
  } else {
    const YamlEntry& first = frame.value->entries[it->second];
    complaints_.Add(*key, format("{} is given twice, first on line {}; keep one of the two",
                                 PathHere(), first.key->line));
  }
  frame.key = nullptr;
}

// YAML 1.1 merge keys: what is merged comes first and yields to the mapping's own keys; of a list
// of mappings the earlier wins.
void Builder::Merge(Frame& frame) {
  std::vector<YamlEntry> entries;
  std::unordered_map<std::string, std::size_t> index;
  for (const YamlRef& source : frame.merged) {
    std::vector<YamlRef> parts = source->is_sequence() ? source->items : std::vector{source};
    std::ranges::reverse(parts);
    for (const YamlRef& part : parts) {
      if (part->is_mapping()) {
        MergeFrom(*part, entries, index);
      } else {
        complaints_.Add(*source,
                        format("{}: << merges {}, expected a mapping or a list of mappings",
                               PathHere(), Describe(*part)));
      }
    }
  }
  MergeFrom(*frame.value, entries, index);
  frame.value->entries = std::move(entries);
}

void Builder::MergeFrom(const YamlValue& source, std::vector<YamlEntry>& entries,
                        std::unordered_map<std::string, std::size_t>& index) {
  merged_entries_ += source.entries.size();
  if (merged_entries_ > kMaxYamlValues && !stopped_) {
    Stop(source.line, format("merge keys (<<) copy more than {} values", kMaxYamlValues));
  }
  if (stopped_) return;
  for (const YamlEntry& entry : source.entries) {
    const auto [it, fresh] = index.emplace(KeyId(*entry.key), entries.size());
    if (fresh)
      entries.push_back(entry);
    else
      entries[it->second].value = entry.value;
  }
}

// Throws what yaml-cpp throws.
void RunParser(std::string_view text, Builder& builder, const std::string& file,
               Complaints& complaints) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  if (!parser.HandleNextDocument(builder)) return;
  Complaints ignored;
  Builder second(text, file, ignored);
  if (parser.HandleNextDocument(second) && second.root()) {
    complaints.Add(*second.root(), "a second document begins here, expected one (remove the ---)");
  }
}

}  // namespace

YamlRef ParseYaml(std::string_view text, const std::string& file, Complaints& complaints) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.size() > kMaxYamlBytes) {
    complaints.Add(
        file, 1, format("the file has {} bytes, expected at most {}", text.size(), kMaxYamlBytes));
    return nullptr;
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!CheckCharacters(text, file, complaints)) return nullptr;
  Builder builder(text, file, complaints);
  try {
    RunParser(text, builder, file, complaints);
  } catch (const YAML::Exception& e) {
    if (builder.stopped()) return nullptr;
    complaints.Add(file, std::max(e.mark.line + 1, 1), format("not valid YAML: {}", e.msg));
    return nullptr;
  }
  if (builder.root() || builder.stopped()) return builder.root();
  auto nothing = std::make_shared<YamlValue>();
  nothing->file = std::make_shared<const std::string>(file);
  nothing->line = 1;
  return nothing;
}

Result<YamlRef> ParseYaml(std::string_view text, const std::string& file) {
  Complaints complaints;
  YamlRef root = ParseYaml(text, file, complaints);
  TRY(complaints.ToStatus());
  return root;
}

YamlRef YamlValue::Find(std::string_view key) const {
  for (const YamlEntry& entry : entries) {
    if (entry.key->is_string() && entry.key->scalar.text == key) return entry.value;
  }
  return nullptr;
}

YamlRef FindSetting(const YamlValue& plan, std::string_view section, std::string_view key) {
  const YamlRef part = plan.Find(section);
  const YamlRef settings = part ? part->Find("settings") : nullptr;
  return settings ? settings->Find(key) : nullptr;
}

std::string Describe(const YamlValue& value) {
  constexpr std::size_t kLongest = 60;
  if (value.is_mapping()) return value.entries.empty() ? "an empty mapping" : "a mapping";
  if (value.is_sequence()) return value.items.empty() ? "an empty list" : "a list";
  if (value.is_null()) return "nothing";
  if (!value.is_string()) return value.source;
  const std::string& text = value.scalar.text;
  if (text.size() <= kLongest) return '"' + text + '"';
  std::size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
  return '"' + text.substr(0, end) + "...\"";
}

const std::string& KeyText(const YamlValue& key) {
  return key.is_string() ? key.scalar.text : key.source;
}

}  // namespace fx
