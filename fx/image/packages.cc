#include "fx/image/packages.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "fx/image/system_root.h"

namespace fx {
namespace {

constexpr std::uint64_t kLargestBook = 256ULL << 20;

// Calls `visit` with each line.
template <typename Visit>
void ForEachLine(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    visit(line);
  }
}

// The same file may be listed below /usr or not: Debian's /lib is a link to /usr/lib.
std::string_view WithoutUsr(std::string_view path) {
  constexpr std::string_view kUsr = "/usr/";
  if (path.starts_with(kUsr)) path.remove_prefix(kUsr.size() - 1);
  return path;
}

std::string SystemName(const SystemRoot& root) {
  std::string name = "linux";
  const std::string text = root.Read(root.Below("etc/os-release"), 1 << 20).value_or("");
  ForEachLine(text, [&](std::string_view line) {
    if (!line.starts_with("ID=")) return;
    line.remove_prefix(3);
    if (line.size() > 1 && line.front() == '"') line = line.substr(1, line.size() - 2);
    name = line;
  });
  return name;
}

// By "name:arch" and by "name", as the lists' files are called.
std::map<std::string, SystemPackage> Installed(const SystemRoot& root) {
  std::map<std::string, SystemPackage> all;
  SystemPackage package{.name = "", .version = "", .arch = "", .system = SystemName(root)};
  const auto add = [&] {
    if (!package.name.empty()) {
      all[package.name + ":" + package.arch] = package;
      all[package.name] = package;
    }
    package.name = package.version = package.arch = "";
  };
  const std::string text = root.Read(root.Below("var/lib/dpkg/status"), kLargestBook).value_or("");
  ForEachLine(text, [&](std::string_view line) {
    const auto value = [&](std::string_view key, std::string& field) {
      if (line.starts_with(key)) field = line.substr(key.size());
    };
    if (line.empty()) add();
    value("Package: ", package.name);
    value("Version: ", package.version);
    value("Architecture: ", package.arch);
  });
  add();
  return all;
}

// Every name the file may be listed under, without /usr: its own, and that of what it links to.
std::map<std::string, Path, std::less<>> NamesOf(const SystemRoot& root,
                                                 const std::vector<Path>& files) {
  std::map<std::string, Path, std::less<>> names;
  for (const Path& file : files) {
    for (const Path& name : {file, root.Resolve(file).value_or(file)}) {
      const Path inside = "/" / name.lexically_relative(root.path());
      names.emplace(WithoutUsr(inside.string()), file);
    }
  }
  return names;
}

}  // namespace

std::map<Path, SystemPackage> PackagesOf(const Path& root, const std::vector<Path>& files) {
  const SystemRoot machine(root);
  std::map<Path, SystemPackage> owners;
  const auto installed = Installed(machine);
  const auto names = NamesOf(machine, files);
  const Path books = machine.Below("var/lib/dpkg/info");
  const auto lists = machine.List(books);
  for (const Path& list : lists.value_or(std::vector<Path>())) {
    const auto package = installed.find(list.stem().string());
    if (list.extension() != ".list" || package == installed.end()) continue;
    const std::string text = machine.Read(books / list.filename(), kLargestBook).value_or("");
    ForEachLine(text, [&](std::string_view line) {
      const auto found = names.find(WithoutUsr(line));
      if (found != names.end()) owners.emplace(found->second, package->second);
    });
  }
  return owners;
}

}  // namespace fx
