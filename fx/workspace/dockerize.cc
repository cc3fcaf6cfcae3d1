#include "fx/workspace/dockerize.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/sha1.h"
#include "fx/image/file_system.h"
#include "fx/image/layout.h"
#include "fx/image/libraries.h"
#include "fx/image/oci.h"
#include "fx/image/packages.h"
#include "fx/image/sbom.h"
#include "fx/openmp_environment.h"
#include "fx/plan/frozen_plan.h"
#include "fx/workspace/contents.h"
#include "fx/workspace/marker.h"
#include "plan/load.h"

namespace fx {
namespace {

constexpr const char* kPlan = "plan/plan.yaml";
constexpr const char* kCols = "plan/cols.yaml";
constexpr const char* kChain = "cert/cert_chain.crt";

// The time every file of the image bears: that of SOURCE_DATE_EPOCH, in seconds
// (reproducible-builds.org), or else 1970.
Result<std::int64_t> ImageTime() {
  constexpr std::int64_t kYear10000 = 253'402'300'800;
  const char* const text = std::getenv("SOURCE_DATE_EPOCH");
  if (text == nullptr) return 0;
  const std::string_view digits(text);
  std::int64_t seconds = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  if (error == std::errc() && end == digits.data() + digits.size() && seconds >= 0 &&
      seconds < kYear10000) {
    return seconds;
  }
  return Fail(ErrorCode::kInvalidArgument,
              format("SOURCE_DATE_EPOCH is \"{}\", expected seconds since 1970", digits));
}

// The words of uname -m are understood too.
std::string ArchName(const std::string& word) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kOthers{
      {{"x86_64", "amd64"}, {"x86-64", "amd64"}, {"aarch64", "arm64"}, {"arm64/v8", "arm64"}}};
  for (const auto& [other, name] : kOthers) {
    if (word == other) return std::string(name);
  }
  return word;
}

bool IsLowerOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// As the names of images are allowed to be: lower case, and parts that begin with a letter.
std::string ImageName(const std::string& folder) {
  std::string name;
  for (char c : folder) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (IsLowerOrDigit(c)) {
      name += c;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "workspace" : name;
}

// "study" -> "localhost/study:latest", the full name that tools agree on.
Result<std::string> Reference(const std::string& tag) {
  const std::size_t slash = tag.rfind('/');
  const std::size_t colon = tag.find(':', slash == std::string::npos ? 0 : slash);
  const std::string name = tag.substr(0, colon);
  const bool good =
      !tag.empty() && IsLowerOrDigit(name.front()) && IsLowerOrDigit(name.back()) &&
      std::ranges::all_of(name,
                          [](char c) {
                            return IsLowerOrDigit(c) ||
                                   std::string_view("._-/:").find(c) != std::string_view::npos;
                          }) &&
      name.find("//") == std::string::npos && colon != tag.size() - 1 && tag.size() < 256 &&
      tag.find_first_of(" \t\n@\\\"") == std::string::npos;
  if (!good) {
    return Fail(Error(ErrorCode::kInvalidArgument, format("\"{}\" is not a name for an image", tag))
                    .Hint("lower-case letters, digits and . _ - /, then : and a version, as in "
                          "registry.example.org/study:1"));
  }
  return (slash == std::string::npos ? "localhost/" : "") + tag +
         (colon == std::string::npos ? ":latest" : "");
}

// The chain that all parties trust; nothing before there is one.
Result<std::optional<std::string>> TrustedChain() {
  if (!Exists(kChain)) return std::nullopt;
  std::string text = TRY(ReadFile(kChain, 1 << 20));
  TRY(CheckHasNoKey(kChain, text));
  return text;
}

class WorkspaceDockerize : public Command {
 public:
  std::string_view noun() const override { return "workspace"; }
  std::string_view verb() const override { return "dockerize"; }
  std::string_view summary() const override {
    return "Write a container image of the workspace, without Docker";
  }
  std::string_view example() const override { return "fx workspace dockerize --sbom"; }

  void Declare(Flags& flags) override {
    flags.Text("-b,--base-image,--base_image", &base_,
               "OCI image to put fx on, a tar or a folder; without it the image holds nothing but "
               "fx and what it needs");
    flags.Text("-o,--output", &output_, "File to write; <workspace>_image.tar if not given");
    flags.Text("-t,--tag", &tag_, "Name of the image; localhost/<workspace>:latest if not given");
    flags.Text("--arch", &arch_,
               "Architecture the image is for, such as amd64 or arm64; fx has to be for it");
    flags.Text("--fx", &fx_, "The fx to put into the image; this one if not given");
    flags.Text("--root", &root_, "Folder below which the libraries of that fx are looked for");
    flags.Switch("--sbom", &sbom_,
                 "Add a list of what is inside, SPDX 2.3, to the image and beside it");
    flags.Switch("--save", &save_, "Accepted for OpenFL's sake; the image is always a file");
    flags.Switch("--no-save", &no_save_, "Refused: there is no Docker to leave the image in");
  }

  Status Run(Io& io) override { return In(Dockerize(io), "cannot make an image of the workspace"); }

 private:
  Status Dockerize(Io& io) const {
    TRY(CheckOptions());
    TRY(RequireWorkspace("."));
    const std::string name = TRY(WorkspaceName());
    const std::string reference = TRY(Reference(tag_.empty() ? ImageName(name) : tag_));
    const Path output = output_.empty() ? Path(name + "_image.tar") : Path(output_);
    const std::int64_t time = TRY(ImageTime());
    const Path frozen = TRY(FindOrFreezePlan(kPlan, kCols));
    const Plan plan = TRY(LoadPlan(kPlan, kCols));
    const Program program = TRY(FindProgram());
    std::optional<BaseImage> base;
    if (!base_.empty()) base = TRY(ReadBaseImage(base_, program.arch));

    ProgramFiles files = base ? OverBase(program) : WholeSystem(program);
    const ContainerSpec spec = SpecOf(reference, time, program, files, plan, name);
    std::string sbom;
    if (sbom_) sbom = TRY(AddSbom(reference, time, program, files));
    const std::vector<ArchiveEntry> contents = TRY(WorkspaceContents("."));
    const std::optional<std::string> chain = TRY(TrustedChain());
    std::vector<Layer> layers;
    layers.push_back(TRY(MakeLayer(std::move(files.entries), time, "fx and its libraries")));
    layers.push_back(TRY(MakeLayer(WorkspaceFiles(contents, chain), time,
                                   "workspace, as fx workspace export packs it")));
    const WrittenImage image =
        TRY(In(WriteImage(output, spec, layers, base), format("cannot write {}", output.string())));
    Report(spec, output, image, program, io);
    if (sbom_) TRY(WriteSbom(output, sbom, io));
    if (!chain) {
      io.err << format("note: there is no {} yet, so the image has no certificates\n", kChain);
    }
    io.err << format("Next: podman load -i {0}, or docker load -i {0}\n", output.string());
    return Ok();
  }

  Status CheckOptions() const {
    if (no_save_) {
      return Fail(
          Error(ErrorCode::kInvalidArgument,
                "--no-save would leave nothing: the image is a file, no Docker is asked")
              .Hint("leave --no-save out, and give the file to podman load or docker load"));
    }
    if (base_.empty() || Exists(base_)) return Ok();
    return Fail(Error(ErrorCode::kNotFound,
                      format("the base image {} is not there: it is a file, not a name", base_))
                    .Hint("fx brings itself and needs none; if you do, skopeo copy "
                          "docker://NAME oci-archive:FILE makes a file of an image"));
  }

  static Result<std::string> WorkspaceName() {
    std::error_code error;
    const Path here = std::filesystem::current_path(error);
    if (!error && !here.filename().empty()) return here.filename().string();
    return Fail(ErrorCode::kFailedPrecondition, "cannot tell the name of the current folder");
  }

  Result<Program> FindProgram() const {
    LibrarySearch search{.root = root_, .first = {}};
    if (fx_.empty() && root_ == "/") search.first = LibraryPath();
    std::error_code error;
    const Path self = std::filesystem::read_symlink("/proc/self/exe", error);
    if (fx_.empty() && error) {
      return Fail(Error(ErrorCode::kFailedPrecondition,
                        format("cannot tell where this fx is: {}", error.message()))
                      .Hint("name it with --fx"));
    }
    Program program = TRY(GatherProgram(fx_.empty() ? self : Path(fx_), search));
    const std::string wanted = arch_.empty() ? program.arch : ArchName(arch_);
    if (wanted == program.arch) return program;
    return Fail(Error(ErrorCode::kFailedPrecondition,
                      format("{} is for {}, and an image for {} needs an fx for {}",
                             program.path.string(), program.arch, wanted, wanted))
                    .Hint("name one with --fx, and with --root the folder of its libraries"));
  }

  // The folders this process has its libraries from before all others.
  static std::vector<Path> LibraryPath() {
    const char* const text = std::getenv("LD_LIBRARY_PATH");
    std::vector<Path> folders;
    std::string_view rest = text == nullptr ? "" : text;
    while (!rest.empty()) {
      const std::string_view folder = rest.substr(0, rest.find(':'));
      rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
      if (!folder.empty()) folders.emplace_back(folder);
    }
    return folders;
  }

  // With what fx would otherwise start itself once more to set.
  static auto Environment() {
    decltype(ContainerSpec::environment) all = {{"HOME", kImageWorkspace}};
    for (const auto& [name, value] : kOpenMpEnvironment) all.emplace(name, value);
    return all;
  }

  static ContainerSpec SpecOf(const std::string& reference, std::int64_t time,
                              const Program& program, const ProgramFiles& files, const Plan& plan,
                              const std::string& name) {
    std::vector<std::string> health = files.entry_point;
    health.emplace_back("status");
    return {.arch = program.arch,
            .reference = reference,
            .created = time,
            .user = format("{0}:{0}", kImageUser),
            .working_dir = kImageWorkspace,
            .entry_point = files.entry_point,
            .health_check = std::move(health),
            .environment = Environment(),
            .labels = {{"org.opencontainers.image.title", name},
                       {"org.opencontainers.image.description",
                        "A federated-learning workspace with fx, its aggregator and collaborator"},
                       {"org.opencontainers.image.version", FX_VERSION},
                       {"org.opencontainers.image.created", TimeText(time)},
                       {"org.opencontainers.image.licenses", "Apache-2.0"},
                       {"fx.federation", plan.federation_uuid},
                       {"fx.plan.sha384", plan.digest}}};
  }

  // Puts the list among the files and returns its text.
  Result<std::string> AddSbom(const std::string& reference, std::int64_t time,
                              const Program& program, ProgramFiles& files) const {
    std::vector<const Library*> libraries;
    for (const Library& library : program.libraries) libraries.push_back(&library);
    if (!program.loader.empty()) libraries.push_back(&program.loader_file);
    std::vector<Path> paths;
    for (const Library* library : libraries) paths.push_back(library->path);
    const auto packages = PackagesOf(root_, paths);

    SbomFacts facts{
        .name = reference, .version = FX_VERSION, .created = time, .files = {}, .built_in = {}};
    const auto add = [&](const std::string& where, const std::string& bytes, const Path& path) {
      const auto package = packages.find(path);
      facts.files.push_back({.name = where,
                             .sha1 = Sha1Hex(AsBytes(bytes)),
                             .sha256 = Sha256Hex(AsBytes(bytes)),
                             .package = {}});
      if (package != packages.end()) facts.files.back().package = package->second;
    };
    add(files.program, program.bytes, program.path);
    for (std::size_t i = 0; i < libraries.size(); ++i) {
      add(files.paths[i], libraries[i]->bytes, libraries[i]->path);
    }
    if (fx_.empty() && !BuiltInLibarchive().empty()) {
      facts.built_in.emplace_back("libarchive", BuiltInLibarchive());
    }
    std::string text = SpdxText(facts);
    const std::string folder = Path(files.program).parent_path().parent_path().relative_path();
    files.entries.push_back({.name = folder + "/share", .folder = true});
    files.entries.push_back({.name = folder + "/share/fx", .folder = true});
    files.entries.push_back({.name = folder + "/share/fx/sbom.spdx.json", .bytes = text});
    return text;
  }

  static Status WriteSbom(const Path& output, const std::string& text, Io& io) {
    Path file = output;
    file.replace_extension(".spdx.json");
    TRY(AtomicWrite(file, text));
    io.out << format("Contents     {}\n", file.string());
    return Ok();
  }

  static void Report(const ContainerSpec& spec, const Path& output, const WrittenImage& image,
                     const Program& program, Io& io) {
    io.out << format("Image        {}\n", output.string());
    io.out << format("Name         {}\n", spec.reference);
    io.out << format("For          linux/{}, {} libraries with fx {}\n", spec.arch,
                     program.libraries.size(), FX_VERSION);
    io.out << format("Compressed   {:.1f} MB\n", static_cast<double>(image.layer_bytes) / 1e6);
    io.out << format("Manifest     sha256:{}\n", image.manifest_digest);
    io.out << format("Image ID     sha256:{}\n", image.config_digest);
  }

  std::string base_;
  std::string output_;
  std::string tag_;
  std::string arch_;
  std::string fx_;
  std::string root_ = "/";
  bool sbom_ = false;
  bool save_ = false;
  bool no_save_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeWorkspaceDockerize() {
  return std::make_unique<WorkspaceDockerize>();
}

}  // namespace fx
