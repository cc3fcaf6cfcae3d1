// Programs and libraries in the format of ELF, with headers and nothing else: for tests of whoever
// reads them. None of them can be run.
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace fx::test {

struct ElfToMake {
  std::uint16_t machine = EM_X86_64;
  std::string loader = {};  // of a program
  std::vector<std::string> needed = {};
  std::string runpath = {};
};

// The bytes: headers, three segments (everything, the loader's name, the dynamic section), names.
inline std::string MakeElf(const ElfToMake& make) {
  constexpr std::uint64_t kNames = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr);
  std::string names(1, '\0');
  const auto add = [&names](const std::string& name) {
    names += name + '\0';
    return names.size() - name.size() - 1;
  };
  std::vector<Elf64_Dyn> dynamic;
  const auto entry = [&dynamic](std::int64_t tag, std::uint64_t value) {
    Elf64_Dyn added = {};
    added.d_tag = tag;
    added.d_un.d_val = value;
    dynamic.push_back(added);
  };
  const std::uint64_t loader = kNames + add(make.loader);
  for (const std::string& name : make.needed) entry(DT_NEEDED, add(name));
  if (!make.runpath.empty()) entry(DT_RUNPATH, add(make.runpath));
  entry(DT_STRTAB, kNames);
  entry(DT_NULL, 0);

  const std::uint64_t table = kNames + names.size();
  const std::uint64_t size = table + dynamic.size() * sizeof(Elf64_Dyn);
  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_DYN;
  header.e_machine = make.machine;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = make.loader.empty() ? 2 : 3;
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  const auto segment = [&bytes](std::uint32_t type, std::uint64_t offset, std::uint64_t length) {
    Elf64_Phdr added = {};
    added.p_type = type;
    added.p_offset = added.p_vaddr = offset;
    added.p_filesz = length;
    bytes.append(reinterpret_cast<const char*>(&added), sizeof added);
  };
  segment(PT_LOAD, 0, size);
  segment(PT_DYNAMIC, table, size - table);
  segment(PT_INTERP, loader, make.loader.size() + 1);
  bytes += names;
  bytes.append(reinterpret_cast<const char*>(dynamic.data()), size - table);
  return bytes;
}

}  // namespace fx::test
