#include "fx/image/elf.h"

#include <elf.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "core/base/format.h"

namespace fx {
namespace {

static_assert(std::endian::native == std::endian::little, "headers are read as they lie in memory");

constexpr std::size_t kMostSegments = 256;
constexpr std::size_t kMostDynamic = 4096;
constexpr std::size_t kLongestText = 4096;

std::string ArchOf(unsigned machine) {
  static constexpr std::array<std::pair<unsigned, const char*>, 5> kKnown{{
      {EM_X86_64, "amd64"},
      {EM_AARCH64, "arm64"},
      {EM_PPC64, "ppc64le"},
      {EM_RISCV, "riscv64"},
      {258, "loong64"},  // EM_LOONGARCH, which elf.h does not know everywhere
  }};
  for (const auto& [known, name] : kKnown) {
    if (known == machine) return name;
  }
  return "";
}

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  Result<ElfFacts> Run() {
    const auto header = TRY(At<Elf64_Ehdr>(0));
    TRY(CheckHeader(header));
    ElfFacts facts{.arch = ArchOf(header.e_machine), .loader = "", .needed = {}, .search = {}};
    if (facts.arch.empty()) {
      return Refuse(format("is for a machine that fx does not run on (ELF machine number {})",
                           header.e_machine));
    }
    if (header.e_phnum > kMostSegments) return Refuse("has too many segments");
    for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
      segments_.push_back(TRY(At<Elf64_Phdr>(header.e_phoff, i)));
    }
    for (const Elf64_Phdr& segment : segments_) {
      if (segment.p_type == PT_INTERP) facts.loader = TRY(TextAt(segment.p_offset));
      if (segment.p_type == PT_DYNAMIC) TRY(ReadDynamic(segment, facts));
    }
    return facts;
  }

 private:
  tl::unexpected<Error> Refuse(const std::string& complaint) const {
    return Fail(ErrorCode::kInvalidArgument, format("{} {}", name_, complaint));
  }

  Status CheckHeader(const Elf64_Ehdr& header) const {
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
      return Refuse("is no program or library of Linux (it does not begin as an ELF file)");
    }
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
      return Refuse("is not for a little-endian machine of 64 bits");
    }
    if (header.e_phnum != 0 && header.e_phentsize != sizeof(Elf64_Phdr)) {
      return Refuse("is damaged: its segments have an unknown size");
    }
    return Ok();
  }

  // The index-th T of a table at `offset`.
  template <typename T>
  Result<T> At(std::uint64_t offset, std::uint64_t index = 0) const {
    const std::uint64_t skipped = index * sizeof(T);  // indexes are bounded
    if (offset > bytes_.size() || bytes_.size() - offset < skipped + sizeof(T)) {
      return Refuse("is damaged or cut short: its headers lead out of the file");
    }
    T value;
    std::memcpy(&value, bytes_.data() + offset + skipped, sizeof value);
    return value;
  }

  Result<std::string> TextAt(std::uint64_t offset) const {
    if (offset >= bytes_.size()) return Refuse("is damaged: a name lies outside of the file");
    const std::string_view rest = bytes_.substr(offset, kLongestText);
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) return Refuse("is damaged: a name does not end");
    return std::string(rest.substr(0, end));
  }

  // Where in the file lies what the loader puts at `address`.
  std::optional<std::uint64_t> OffsetOf(std::uint64_t address) const {
    for (const Elf64_Phdr& segment : segments_) {
      if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
      const std::uint64_t within = address - segment.p_vaddr;
      if (within < segment.p_filesz && segment.p_offset <= bytes_.size()) {
        return segment.p_offset + within;
      }
    }
    return std::nullopt;
  }

  Status ReadDynamic(const Elf64_Phdr& segment, ElfFacts& facts) const {
    std::optional<std::uint64_t> names;
    std::vector<std::uint64_t> needed;
    std::optional<std::uint64_t> rpath;
    std::optional<std::uint64_t> runpath;
    for (std::uint64_t i = 0;; ++i) {
      if (i == kMostDynamic) return Refuse("is damaged: its dynamic section does not end");
      const auto entry = TRY(At<Elf64_Dyn>(segment.p_offset, i));
      if (entry.d_tag == DT_NULL) break;
      if (entry.d_tag == DT_STRTAB) names = OffsetOf(entry.d_un.d_ptr);
      if (entry.d_tag == DT_NEEDED) needed.push_back(entry.d_un.d_val);
      if (entry.d_tag == DT_RPATH) rpath = entry.d_un.d_val;
      if (entry.d_tag == DT_RUNPATH) runpath = entry.d_un.d_val;
    }
    if (needed.empty()) return Ok();
    if (!names) return Refuse("is damaged: it has no table of names");
    for (const std::uint64_t at : needed) facts.needed.push_back(TRY(NameAt(*names, at)));
    // As the loader has it: the new kind of search path makes it forget the old one.
    if (runpath) rpath = runpath;
    if (rpath) facts.search = Split(TRY(NameAt(*names, *rpath)));
    return Ok();
  }

  Result<std::string> NameAt(std::uint64_t table, std::uint64_t at) const {
    if (at > bytes_.size()) return Refuse("is damaged: a name lies outside of the file");
    return TextAt(table + at);
  }

  static std::vector<std::string> Split(std::string_view folders) {
    std::vector<std::string> all;
    while (!folders.empty()) {
      const std::size_t end = folders.find(':');
      if (end != 0) all.emplace_back(folders.substr(0, end));
      folders.remove_prefix(end == std::string_view::npos ? folders.size() : end + 1);
    }
    return all;
  }

  std::string_view bytes_;
  const std::string& name_;
  std::vector<Elf64_Phdr> segments_;
};

}  // namespace

Result<ElfFacts> ReadElf(std::string_view bytes, const std::string& name) {
  return Reader(bytes, name).Run();
}

}  // namespace fx
