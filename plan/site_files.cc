// The two files beside a plan that say who takes part and where their data lies: cols.yaml and
// data.yaml (declared in plan/load.h and plan/site_files.h).
#include "plan/site_files.h"

#include <algorithm>
#include <sstream>

#include "core/base/format.h"
#include "plan/canonical.h"
#include "plan/complaints.h"
#include "plan/load.h"
#include "plan/mapping_reader.h"
#include "plan/names_check.h"

namespace fx {
namespace {

constexpr std::uint64_t kMaxDataFile = 16U << 20;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Lines without their line feeds; a last empty one if the text ends in a line feed.
std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (true) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

// The name a line of data.yaml gives a path to; empty for comments and blank lines.
std::string_view NameOf(std::string_view line) {
  const std::string_view content = Trim(line);
  return content.starts_with('#') ? std::string_view() : Trim(content.substr(0, content.find(',')));
}

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

// Adds an item to the list under `collaborators`, which ParseCols has read.
Result<std::string> InsertName(const std::string& text, const std::string& file,
                               const std::string& name) {
  const std::string item = CanonicalScalar(name);
  const YamlRef document = TRY(ParseYaml(text, file));
  const YamlRef list = document->Find("collaborators");
  std::string result = text;
  const auto end_of_line = [&](std::size_t from) {
    return std::min(result.find('\n', from), result.size());
  };
  if (!list) {
    if (!result.empty() && result.back() != '\n') result += '\n';
    return result + "collaborators:\n- " + item + "\n";
  }
  if (!list->is_null() && list->offset < text.size() && text[list->offset] == '[') {
    result.insert(list->offset + 1, list->items.empty() ? item : item + ", ");
    return result;
  }
  if (list->items.empty()) {
    // `collaborators:` with nothing or a word for nothing after the colon.
    YamlRef key;
    for (const YamlEntry& e : document->entries) {
      if (e.value == list) key = e.key;
    }
    const std::size_t colon = result.find(':', key->offset);
    const std::size_t end = end_of_line(colon);
    const std::size_t comment = std::min(result.find(" #", colon), end);
    std::string rest = result.substr(comment, end - comment);
    result.replace(colon + 1, end - colon - 1, rest + "\n- " + item);
    return result;
  }
  const YamlValue& last = *list->items.back();
  const std::size_t line_begin = result.rfind('\n', last.offset) + 1;
  const std::size_t dash = result.rfind('-', last.offset - 1);
  const std::size_t end = end_of_line(last.offset);
  result.insert(end, "\n" + result.substr(line_begin, dash - line_begin) + "- " + item);
  return result;
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

Result<std::map<std::string, std::string>> LoadDataFile(const Path& path) {
  const std::string context = format("cannot use the list of data folders {}", path.string());
  const std::string text = TRY(In(ReadFile(path, kMaxDataFile), context));
  std::map<std::string, std::string> data;
  Complaints complaints;
  int number = 0;
  for (const std::string_view line : Lines(text)) {
    ++number;
    const std::string name(NameOf(line));
    const std::string_view content = Trim(line);
    if (content.empty() || content.starts_with('#')) continue;
    const std::size_t comma = content.find(',');
    const std::string value(comma == std::string_view::npos ? "" : Trim(content.substr(comma + 1)));
    if (name.empty() || value.empty()) {
      complaints.Add(path.string(), number, format("found \"{}\", expected name,path", content));
    } else if (!data.emplace(name, value).second) {
      complaints.Add(path.string(), number, format("{} is given twice; keep one of the two", name));
    }
  }
  TRY(In(complaints.ToStatus(), context));
  return data;
}

Result<bool> AddCollaboratorToCols(const Path& path, const CollaboratorName& name) {
  const std::string context = format("cannot add {} to {}", name.value, path.string());
  const std::string problem = CollaboratorNameProblem(name.value);
  if (!problem.empty()) {
    return Fail(
        Error(ErrorCode::kInvalidArgument, format("the name \"{}\" {}", name.value, problem))
            .In(context));
  }
  const std::string text =
      Exists(path) ? TRY(In(ReadFile(path, kMaxYamlBytes), context)) : std::string();
  std::vector<CollaboratorName> names = TRY(In(ParseCols(text, path.string()), context));
  if (std::find(names.begin(), names.end(), name) != names.end()) return false;
  const std::string edited = TRY(In(InsertName(text, path.string(), name.value), context));
  const auto after = ParseCols(edited, path.string());
  if (!after || after->size() != names.size() + 1) {
    return Fail(
        Error(ErrorCode::kFailedPrecondition,
              "the file is written in a way that cannot be edited safely")
            .In(context)
            .Hint(format("write its names as lines `- name` under `collaborators:`, {} among "
                         "them",
                         name.value)));
  }
  TRY(In(AtomicWrite(path, edited), context));
  return true;
}

Status SetDataPath(const Path& path, const std::string& name, const std::string& data) {
  const std::string context = format("cannot set the data of {} in {}", name, path.string());
  const bool bad_name = name.empty() || name.find_first_of(",\n\r#") != std::string::npos;
  if (bad_name || Trim(data).empty() || data.find_first_of("\n\r") != std::string::npos) {
    return Fail(Error(ErrorCode::kInvalidArgument,
                      "expected a name without commas and a path without line breaks")
                    .In(context));
  }
  const std::string text =
      Exists(path) ? TRY(In(ReadFile(path, kMaxDataFile), context)) : std::string();
  const std::string entry = format("{},{}", name, data);
  std::string edited;
  bool found = false;
  for (const std::string_view line : Lines(text)) {
    const bool is_it = NameOf(line) == name;
    if (is_it && found) continue;
    found = found || is_it;
    edited += (edited.empty() && line.data() == text.data() ? "" : "\n");
    edited += is_it ? entry : std::string(line);
  }
  if (!found) edited += (edited.empty() || edited.back() == '\n' ? "" : "\n") + entry + "\n";
  return In(AtomicWrite(path, edited), context);
}

}  // namespace fx
