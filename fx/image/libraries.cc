#include "fx/image/libraries.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/format.h"
#include "fx/image/elf.h"
#include "fx/image/system_root.h"

namespace fx {
namespace {

constexpr std::uint64_t kLargestFile = 1ULL << 30;
constexpr std::size_t kMostLibraries = 1000;

// The folder name Debian keeps an architecture's libraries under.
std::string_view TripletOf(std::string_view arch) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kTriplets{{
      {"amd64", "x86_64-linux-gnu"},
      {"arm64", "aarch64-linux-gnu"},
      {"ppc64le", "powerpc64le-linux-gnu"},
      {"riscv64", "riscv64-linux-gnu"},
      {"loong64", "loongarch64-linux-gnu"},
  }};
  const auto* const found =
      std::ranges::find(kTriplets, arch, [](const auto& p) { return p.first; });
  return found == kTriplets.end() ? "" : found->second;
}

// The folders that ld.so.conf(5) names, those of the files it includes as well.
void AddConfigured(const SystemRoot& root, const Path& file, int depth,
                   std::vector<Path>& folders) {
  std::string text = root.Read(root.Below(file), 1 << 20).value_or("");
  std::ranges::replace(text, '\t', ' ');
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    line = line.substr(0, line.find('#'));
    const std::size_t last = line.find_last_not_of(' ');
    line = last == std::string_view::npos ? "" : line.substr(0, last + 1);
    constexpr std::string_view kInclude = "include ";
    if (line.starts_with(kInclude) && depth < 3) {
      const Path pattern(line.substr(kInclude.size()));
      const auto files = root.List(root.Below(pattern.parent_path()));
      for (const Path& included : files.value_or(std::vector<Path>())) {
        if (included.extension() != pattern.extension()) continue;
        AddConfigured(root, pattern.parent_path() / included.filename(), depth + 1, folders);
      }
    } else if (line.starts_with('/')) {
      folders.push_back(root.Below(line));
    }
  }
}

std::vector<Path> FoldersOf(const SystemRoot& root, std::vector<Path> folders,
                            const std::string& arch) {
  AddConfigured(root, "/etc/ld.so.conf", 0, folders);
  const std::string triplet(TripletOf(arch));
  for (const std::string& folder :
       {"/lib/" + triplet, "/usr/lib/" + triplet, std::string("/lib64"), std::string("/usr/lib64"),
        std::string("/lib"), std::string("/usr/lib")}) {
    folders.push_back(root.Below(folder));
  }
  return folders;
}

struct Found {
  Library library;
  ElfFacts facts;
};

class Gatherer {
 public:
  Gatherer(const SystemRoot& root, const std::vector<Path>& first, Program program,
           const ElfFacts& facts)
      : root_(root),
        program_(std::move(program)),
        folders_(FoldersOf(root, first, facts.arch)),
        loader_name_(Path(facts.loader).filename().string()) {}

  Result<Program> Run(const ElfFacts& facts) && {
    TRY(AddLoader());
    TRY(AddNeeded(facts, program_.path));
    while (!open_.empty()) {
      const Found next = std::move(open_.back());
      open_.pop_back();
      TRY(AddNeeded(next.facts, next.library.path));
    }
    for (auto& [name, library] : found_) program_.libraries.push_back(std::move(library));
    return std::move(program_);
  }

 private:
  Status AddLoader() {
    const Path file = root_.Below(program_.loader);
    std::string bytes = TRY(
        In(root_.Read(file, kLargestFile), format("cannot read {}, the dynamic loader {} asks for",
                                                  file.string(), program_.path.string())));
    const ElfFacts facts = TRY(ReadElf(bytes, file.string()));
    if (facts.arch != program_.arch) {
      return Fail(ErrorCode::kFailedPrecondition,
                  format("{}, the dynamic loader, is for {}, but {} for {}", file.string(),
                         facts.arch, program_.path.string(), program_.arch));
    }
    program_.loader_file = {.name = loader_name_, .path = file, .bytes = std::move(bytes)};
    return Ok();
  }

  Status AddNeeded(const ElfFacts& facts, const Path& who) {
    for (const std::string& name : facts.needed) {
      if (name == loader_name_ || found_.contains(name)) continue;
      if (found_.size() == kMostLibraries) {
        return Fail(ErrorCode::kResourceExhausted, format("{} needs more than {} libraries",
                                                          program_.path.string(), kMostLibraries));
      }
      Found found = TRY(Find(name, facts, who));
      found_.emplace(name, found.library);
      found.library.bytes.clear();
      open_.push_back(std::move(found));
    }
    return Ok();
  }

  Result<Found> Find(const std::string& name, const ElfFacts& facts, const Path& who) const {
    if (name.empty() || name.find('/') != std::string::npos) {
      return Fail(
          ErrorCode::kInvalidArgument,
          format("{} needs a library by the path \"{}\"; only names can be put into an image",
                 who.string(), name));
    }
    std::vector<Path> folders = OwnFolders(facts, who);
    folders.insert(folders.end(), folders_.begin(), folders_.end());
    for (const Path& folder : folders) {
      if (auto found = Try(name, folder / name)) return *std::move(found);
    }
    return Missing(name, who, folders);
  }

  // Nothing if the file is not there or the loader would pass it over.
  std::optional<Found> Try(const std::string& name, const Path& file) const {
    if (!root_.Exists(file)) return std::nullopt;
    auto bytes = root_.Read(file, kLargestFile);
    if (!bytes) return std::nullopt;
    auto facts = ReadElf(*bytes, file.string());
    if (!facts || facts->arch != program_.arch) return std::nullopt;
    return Found{.library = {.name = name, .path = file, .bytes = *std::move(bytes)},
                 .facts = *std::move(facts)};
  }

  std::vector<Path> OwnFolders(const ElfFacts& facts, const Path& who) const {
    constexpr std::string_view kOrigin = "$ORIGIN";
    constexpr std::string_view kBraced = "${ORIGIN}";
    std::vector<Path> folders;
    for (const std::string& text : facts.search) {
      const std::string_view rest = text;
      if (rest.starts_with(kOrigin)) {
        folders.push_back(who.parent_path().string() + std::string(rest.substr(kOrigin.size())));
      } else if (rest.starts_with(kBraced)) {
        folders.push_back(who.parent_path().string() + std::string(rest.substr(kBraced.size())));
      } else if (rest.starts_with('/')) {
        folders.push_back(root_.Below(text));
      }
    }
    return folders;
  }

  tl::unexpected<Error> Missing(const std::string& name, const Path& who,
                                std::vector<Path> folders) const {
    std::string looked;
    std::ranges::sort(folders);
    const auto repeated = std::ranges::unique(folders);
    folders.erase(repeated.begin(), repeated.end());
    for (const Path& folder : folders) {
      if (root_.Exists(folder)) looked += (looked.empty() ? "" : ", ") + folder.string();
    }
    return Fail(Error(ErrorCode::kNotFound,
                      format("the library {} for {} is missing, which {} needs (looked in {})",
                             name, program_.arch, who.string(),
                             looked.empty() ? "no folder: none is there" : looked))
                    .Hint("install the package that has it; for a program of another machine, name "
                          "with --root the folder that holds that machine's system"));
  }

  const SystemRoot& root_;
  Program program_;
  std::vector<Path> folders_;
  std::string loader_name_;
  std::map<std::string, Library> found_;
  std::vector<Found> open_;
};

}  // namespace

Result<Program> GatherProgram(const Path& file, const LibrarySearch& search) {
  const SystemRoot root(search.root);
  std::error_code error;
  const Path absolute = std::filesystem::absolute(file, error);
  Program program;
  program.path = TRY(root.Resolve(error ? file : absolute));
  program.bytes = TRY(ReadFile(program.path, kLargestFile));
  const ElfFacts facts = TRY(ReadElf(program.bytes, file.string()));
  program.arch = facts.arch;
  if (facts.loader.empty() && facts.needed.empty()) return program;  // linked whole
  if (!facts.loader.starts_with('/')) {
    return Fail(ErrorCode::kInvalidArgument,
                format("{} is a library, not a program: it names no loader", file.string()));
  }
  program.loader = facts.loader;
  return Gatherer(root, search.first, std::move(program), facts).Run(facts);
}

}  // namespace fx
