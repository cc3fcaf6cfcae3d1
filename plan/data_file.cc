#include "plan/data_file.h"

#include <vector>

#include "core/base/format.h"
#include "core/base/replace_file.h"
#include "plan/complaints.h"
#include "plan/load.h"

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

}  // namespace

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
  return In(ReplaceFile(path, edited), context);
}

}  // namespace fx
