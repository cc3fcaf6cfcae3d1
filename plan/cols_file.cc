#include "plan/cols_file.h"

#include <algorithm>
#include <map>
#include <optional>

#include "core/base/format.h"
#include "core/base/replace_file.h"
#include "plan/canonical.h"
#include "plan/load.h"
#include "plan/mapping_reader.h"
#include "plan/names_check.h"

namespace fx {
namespace {

void ReadNames(const YamlValue& list, Complaints& complaints,
               std::vector<CollaboratorName>& names) {
  std::map<std::string, int> lines;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const std::string path = format("collaborators[{}]", i);
    std::string name;
    if (!ReadText(*list.items[i], path, complaints, name)) continue;
    const std::string problem = CollaboratorNameProblem(name);
    if (!problem.empty()) {
      complaints.Add(*list.items[i], format("{}: the name \"{}\" {}", path, name, problem));
    }
    const auto [it, fresh] = lines.emplace(name, list.items[i]->line);
    if (fresh)
      names.push_back({name});
    else
      complaints.Add(*list.items[i], format("{} is {}, as on line {}; keep one of the two", path,
                                            name, it->second));
  }
}

Result<std::vector<CollaboratorName>> ParseCols(std::string_view text, const std::string& file) {
  Complaints complaints;
  std::vector<CollaboratorName> names;
  ReadCols(text, file, complaints, names);
  TRY(complaints.ToStatus());
  return names;
}

// The text with `name` added to the list under `collaborators`, where the file has room for it. The
// caller checks that the result reads as meant.
class NameInserter {
 public:
  NameInserter(const std::string& text, const YamlRef& document)
      : text_(text), document_(document), list_(document->Find("collaborators")) {}

  std::string Insert(const std::string& name) const {
    const std::string item = CanonicalScalar(name);
    if (!list_) return AppendList(item);
    if (text_.substr(list_->offset, 1) == "[") return InsertInBrackets(item);
    return list_->items.empty() ? InsertAfterColon(item) : InsertAfterLast(item);
  }

 private:
  std::size_t EndOfLine(std::size_t from) const {
    return std::min(text_.find('\n', from), text_.size());
  }

  std::string AppendList(const std::string& item) const {
    const bool open_line = !text_.empty() && text_.back() != '\n';
    return text_ + (open_line ? "\n" : "") + "collaborators:\n- " + item + "\n";
  }

  std::string InsertInBrackets(const std::string& item) const {
    std::string result = text_;
    const std::size_t end =
        list_->items.empty() ? list_->offset + 1 : EndOfItem(*list_->items.back());
    return result.insert(end, (list_->items.empty() ? "" : ", ") + item);
  }

  // `collaborators:` with nothing after it, or a word for nothing; a comment there stays.
  std::string InsertAfterColon(const std::string& item) const {
    std::size_t key = 0;
    for (const YamlEntry& entry : document_->entries) {
      if (entry.value == list_) key = entry.key->offset;
    }
    const std::size_t colon = text_.find(':', key);
    const std::size_t end = EndOfLine(colon);
    const std::size_t comment = std::min(text_.find(" #", colon), end);
    return text_.substr(0, colon + 1) + text_.substr(comment, end - comment) + "\n- " + item +
           (end == text_.size() ? "\n" : text_.substr(end));
  }

  std::string InsertAfterLast(const std::string& item) const {
    const std::size_t last = list_->items.back()->offset;
    const std::size_t line = text_.rfind('\n', last) + 1;
    const std::size_t dash = text_.find('-', line);
    std::string result = text_;
    const std::string indent = text_.substr(line, std::min(dash, last) - line);
    return result.insert(EndOfLine(last), "\n" + indent + "- " + item);
  }

  std::size_t EndOfItem(const YamlValue& item) const {
    return item.offset + item.source.size() + (item.quoted ? 2 : 0);
  }

  const std::string& text_;
  YamlRef document_;
  YamlRef list_;
};

// The text without the item at `index` of the list. The caller checks that the result reads as
// meant.
std::string WithoutItem(const std::string& text, const YamlValue& list, std::size_t index) {
  const auto end_of = [](const YamlValue& item) {
    return item.offset + item.source.size() + (item.quoted ? 2 : 0);
  };
  const YamlValue& item = *list.items[index];
  std::string result = text;
  if (text.substr(list.offset, 1) != "[") {
    const std::size_t line = text.rfind('\n', item.offset) + 1;
    const std::size_t next = std::min(text.find('\n', item.offset), text.size() - 1) + 1;
    return result.erase(line, next - line);
  }
  const bool last = index + 1 == list.items.size();
  const std::size_t from = last && index > 0 ? end_of(*list.items[index - 1]) : item.offset;
  const std::size_t to = last ? end_of(item) : list.items[index + 1]->offset;
  return result.erase(from, to - from);
}

Error CannotEdit(const std::string& hint) {
  return Error(ErrorCode::kFailedPrecondition,
               "the file is written in a way that cannot be edited safely")
      .Hint(hint);
}

// A file as it is, and what it says.
struct Cols {
  std::string text;
  std::vector<CollaboratorName> names;
  YamlRef document;
};

// What a file is to become; none: it is so already.
using Edited = std::optional<std::string>;

Result<Edited> Added(Cols cols, const CollaboratorName& name, const std::string& file) {
  if (std::ranges::find(cols.names, name) != cols.names.end()) return std::nullopt;
  const std::string edited = NameInserter(cols.text, cols.document).Insert(name.value);
  const auto after = ParseCols(edited, file);
  cols.names.push_back(name);
  if (after && *after == cols.names) return edited;
  return Fail(
      CannotEdit(format("write its names as lines `- name` under `collaborators:`, {} "
                        "among them",
                        name.value)));
}

Result<Edited> Removed(Cols cols, const CollaboratorName& name, const std::string& file) {
  const auto found = std::ranges::find(cols.names, name);
  if (found == cols.names.end()) return std::nullopt;
  const std::string edited = WithoutItem(cols.text, *cols.document->Find("collaborators"),
                                         static_cast<std::size_t>(found - cols.names.begin()));
  const auto after = ParseCols(edited, file);
  cols.names.erase(found);
  if (after && *after == cols.names) return edited;
  return Fail(CannotEdit(format("remove {} from the list by hand", name.value)));
}

Result<bool> Change(const Path& path, const CollaboratorName& name, decltype(&Added) edit,
                    const ColsJudge& judge) {
  const Path file = TRY(FollowLinks(path));  // the list may be shared: all lock the same folder
  const Path folder = file.parent_path();
  const FolderLock lock = TRY(FolderLock::Acquire(folder.empty() ? "." : folder));
  Cols cols;
  if (Exists(file)) cols.text = TRY(ReadFile(file, kMaxYamlBytes));
  cols.names = TRY(ParseCols(cols.text, path.string()));
  cols.document = TRY(ParseYaml(cols.text, path.string()));
  const Edited edited = TRY(edit(cols, name, path.string()));
  if (!edited) return false;
  if (judge) TRY(judge(cols.text, *edited));
  TRY(ReplaceFile(file, *edited));
  return true;
}

}  // namespace

void ReadCols(std::string_view text, const std::string& file, Complaints& complaints,
              std::vector<CollaboratorName>& names) {
  const YamlRef document = ParseYaml(text, file, complaints);
  if (!document) return;
  MappingReader reader(document, "", complaints);
  const YamlRef list = reader.Get("collaborators");
  if (list && list->is_sequence()) {
    ReadNames(*list, complaints, names);
  } else if (list && !list->is_null()) {
    reader.Complain("collaborators", format("is {}, expected a list of names", Describe(*list)));
  }
  reader.Finish();
}

Result<std::vector<CollaboratorName>> LoadColsFile(const Path& path) {
  if (!Exists(path)) return std::vector<CollaboratorName>{};
  const std::string context = format("cannot use the list of collaborators {}", path.string());
  const std::string text = TRY(In(ReadFile(path, kMaxYamlBytes), context));
  return In(ParseCols(text, path.string()), context);
}

Result<bool> AddCollaboratorToCols(const Path& path, const CollaboratorName& name,
                                   const ColsJudge& judge) {
  const std::string context = format("cannot add {} to {}", name.value, path.string());
  const std::string problem = CollaboratorNameProblem(name.value);
  if (!problem.empty()) {
    return Fail(
        Error(ErrorCode::kInvalidArgument, format("the name \"{}\" {}", name.value, problem))
            .In(context));
  }
  return In(Change(path, name, Added, judge), context);
}

Result<bool> RemoveCollaboratorFromCols(const Path& path, const CollaboratorName& name,
                                        const ColsJudge& judge) {
  return In(Change(path, name, Removed, judge),
            format("cannot remove {} from {}", name.value, path.string()));
}

std::string Listed(const std::vector<CollaboratorName>& names) {
  std::string text;
  for (const CollaboratorName& name : names) text += (text.empty() ? "" : ", ") + name.value;
  return text.empty() ? "nobody" : text;
}

}  // namespace fx
