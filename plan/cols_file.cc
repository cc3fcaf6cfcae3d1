#include "plan/cols_file.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/format.h"
#include "plan/load.h"
#include "plan/yaml_scalar.h"

namespace fx {
namespace {

constexpr std::uint64_t kLargestColsFile = 16 << 20;

std::string CommentLines(const std::string& text) {
  std::istringstream lines(text);
  std::string comments;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t start = line.find_first_not_of(" \t");
    if (start != std::string::npos && line[start] == '#') comments += line.substr(start) + "\n";
  }
  return comments;
}

// A name such as 1 or yes would be read back as a number or a boolean.
std::string Quoted(const std::string& name) {
  return IsPlainString(name) ? name : format("'{}'", name);
}

}  // namespace

Result<bool> AddCollaboratorToCols(const Path& cols_file, const CollaboratorName& name) {
  std::vector<CollaboratorName> names;
  std::string text;
  if (Exists(cols_file)) {
    names = TRY(LoadColsFile(cols_file));
    text = CommentLines(TRY(ReadFile(cols_file, kLargestColsFile)));
  }
  if (std::ranges::find(names, name) != names.end()) return false;
  names.push_back(name);
  text += "collaborators:\n";
  for (const CollaboratorName& each : names) text += format("- {}\n", Quoted(each.value));
  TRY(MakeFolders(cols_file.parent_path()));
  TRY(AtomicWrite(cols_file, text));
  return true;
}

}  // namespace fx
