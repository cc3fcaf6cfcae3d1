// What a program needs, read from its headers: fx/image/elf.h and fx/image/libraries.h.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/format.h"
#include "fx/image/elf.h"
#include "fx/image/libraries.h"
#include "tests/support/made_elf.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/support/run_command.h"

namespace fx {
namespace {

using test::ElfToMake;
using test::IsError;
using test::IsOk;
using test::MakeElf;
using test::Must;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Elf, TellsWhatAProgramNeeds) {
  const std::string bytes = MakeElf({.loader = "/lib64/ld.so",
                                     .needed = {"libb.so.1", "liba.so"},
                                     .runpath = "$ORIGIN/../lib:/opt/x"});
  const ElfFacts facts = Must(ReadElf(bytes, "p"));
  EXPECT_EQ(facts.arch, "amd64");
  EXPECT_EQ(facts.loader, "/lib64/ld.so");
  EXPECT_THAT(facts.needed, ElementsAre("libb.so.1", "liba.so"));
  EXPECT_THAT(facts.search, ElementsAre("$ORIGIN/../lib", "/opt/x"));
}

TEST(Elf, NamesArchitecturesAsContainersDo) {
  EXPECT_EQ(Must(ReadElf(MakeElf({.machine = EM_AARCH64}), "p")).arch, "arm64");
  EXPECT_EQ(Must(ReadElf(MakeElf({.machine = EM_RISCV}), "p")).arch, "riscv64");
}

TEST(Elf, RefusesWhatIsNoElfFile) {
  EXPECT_THAT(ReadElf("#!/bin/sh\n" + std::string(100, ' '), "p"),
              IsError(ErrorCode::kInvalidArgument, "p is no program or library of Linux"));
  EXPECT_THAT(ReadElf("", "p"), IsError(ErrorCode::kInvalidArgument, "cut short"));
}

TEST(Elf, RefusesAMachineItDoesNotKnow) {
  EXPECT_THAT(ReadElf(MakeElf({.machine = EM_SPARC}), "p"),
              IsError(ErrorCode::kInvalidArgument, "ELF machine number 2"));
  std::string old = MakeElf({});
  old[EI_CLASS] = ELFCLASS32;
  EXPECT_THAT(ReadElf(old, "p"), IsError(ErrorCode::kInvalidArgument, "of 64 bits"));
}

// Cut anywhere, and each byte of the headers replaced: an answer or an error, never a read outside.
TEST(Elf, SurvivesGarbage) {
  const std::string good = MakeElf({.loader = "/ld", .needed = {"a", "b"}, .runpath = "/x"});
  int refused = 0;
  for (std::size_t size = 0; size < good.size(); ++size) {
    // A copy of its own, so that a sanitizer sees its end.
    const std::string cut(good.data(), size);
    refused += ReadElf(cut, "p").has_value() ? 0 : 1;
  }
  EXPECT_EQ(refused, static_cast<int>(good.size()));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char value : {'\x00', '\x7f', '\xff'}) {
      std::string bad = good;
      bad[at] = value;
      refused += ReadElf(bad, "p").has_value() ? 0 : 1;
    }
  }
  EXPECT_GT(refused, static_cast<int>(good.size()) + 100);
}

class Libraries : public testing::Test {
 protected:
  void Put(const std::string& name, const ElfToMake& make) const {
    const Path file = root() / name;
    ASSERT_THAT(MakeFolders(file.parent_path()), IsOk());
    ASSERT_THAT(AtomicWrite(file, MakeElf(make)), IsOk());
  }
  void PutProgram(const std::vector<std::string>& needed, const std::string& runpath = "") const {
    Put("bin/fx", {.loader = "/lib64/ld.so", .needed = needed, .runpath = runpath});
    Put("lib64/ld.so", {});
  }
  void Link(const std::string& name, const Path& target) const {
    const Path link = root() / name;
    ASSERT_THAT(MakeFolders(link.parent_path()), IsOk());
    ASSERT_THAT(RemoveIfExists(link), IsOk());
    std::filesystem::create_symlink(target, link);
  }
  Result<Program> Gather() const {
    return GatherProgram(root() / "bin/fx", {.root = root(), .first = {}});
  }
  std::vector<std::string> Paths() const {
    std::vector<std::string> paths;
    for (const Library& library : Must(Gather()).libraries) {
      paths.push_back(library.path.lexically_relative(root()).string());
    }
    return paths;
  }
  Path root() const { return folder_.path(); }

 private:
  TempDir folder_;
};

TEST_F(Libraries, AreFoundAcrossAllOfThem) {
  PutProgram({"libb.so", "liba.so"});
  Put("usr/lib/x86_64-linux-gnu/liba.so", {.needed = {"libc.so", "ld.so"}});
  Put("lib/libb.so", {.needed = {"libc.so"}});
  Put("lib/libc.so", {.needed = {"liba.so"}});
  EXPECT_THAT(Paths(),
              ElementsAre("usr/lib/x86_64-linux-gnu/liba.so", "lib/libb.so", "lib/libc.so"));
  const Program program = Must(Gather());
  EXPECT_EQ(program.loader, "/lib64/ld.so");
  EXPECT_EQ(program.loader_file.name, "ld.so");
}

TEST_F(Libraries, AreLookedForWhereTheLoaderLooks) {
  PutProgram({"liba.so", "libb.so"}, "$ORIGIN/../own");
  Put("own/liba.so", {});
  Put("opt/configured/liba.so", {});
  Put("opt/configured/libb.so", {});
  Put("lib/libb.so", {});
  ASSERT_THAT(MakeFolders(root() / "etc/ld.so.conf.d"), IsOk());
  ASSERT_THAT(AtomicWrite(root() / "etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n"), IsOk());
  ASSERT_THAT(AtomicWrite(root() / "etc/ld.so.conf.d/x.conf", "# ours\n/opt/configured\n"), IsOk());
  EXPECT_THAT(Paths(), ElementsAre("bin/../own/liba.so", "opt/configured/libb.so"));
}

// As systems have them that are unpacked somewhere: their "/" is the root.
TEST_F(Libraries, AreFoundThroughAbsoluteLinksInsideOfTheRoot) {
  Put("usr/bin/fx-0.1", {.loader = "/lib64/ld.so", .needed = {"liba.so", "libb.so"}});
  Put("usr/lib64/ld-2.36.so", {});
  Put("etc/alternatives/liba.so", {.needed = {"libc.so"}});
  Put("opt/configured/libb.so", {});
  Put("usr/lib/libc.so.6", {});
  ASSERT_THAT(AtomicWrite(root() / "usr/ld.so.conf", "/opt/configured\n"), IsOk());
  Link("bin/fx", "/usr/bin/fx-0.1");
  Link("lib64", "/usr/lib64");
  Link("usr/lib64/ld.so", "../../../../../../../../../usr/lib64/ld-2.36.so");
  Link("lib", "/usr/lib");
  Link("usr/lib/liba.so", "/etc/alternatives/liba.so");
  Link("usr/lib/libc.so", "libc.so.6");
  Link("etc/ld.so.conf", "/usr/ld.so.conf");
  EXPECT_THAT(Paths(), ElementsAre("lib/liba.so", "opt/configured/libb.so", "lib/libc.so"));
  EXPECT_EQ(Must(Gather()).loader_file.name, "ld.so");
}

TEST_F(Libraries, AreNotFetchedFromOutsideOfTheRootWhereverALinkLeads) {
  const TempDir outside;
  ASSERT_THAT(AtomicWrite(outside.path() / "liba.so", MakeElf({})), IsOk());
  PutProgram({"liba.so"});
  for (const Path& target :
       {outside.path() / "liba.so",
        Path("../../../../../../../../..") / outside.path().relative_path() / "liba.so"}) {
    Link("lib/liba.so", target);
    EXPECT_THAT(Gather(), IsError(ErrorCode::kNotFound, "the library liba.so")) << target;
  }
  PutProgram({"liba.so"}, "$ORIGIN/../../../../../../../../.." + outside.path().string());
  EXPECT_THAT(Gather(), IsError(ErrorCode::kNotFound, "the library liba.so"));
}

// Both relative, and through "..": the program still lies below the root, and so do its links.
TEST_F(Libraries, AreThoseOfTheRootHoweverItIsWritten) {
  Put("usr/bin/fx-0.1", {.loader = "/lib64/ld.so", .needed = {"liba.so"}});
  Put("lib64/ld.so", {});
  Put("lib/liba.so", {});
  Link("bin/fx", "/usr/bin/fx-0.1");
  const Path aside = std::filesystem::relative(root()) / "lib/..";
  const Program program = Must(GatherProgram(aside / "bin/fx", {.root = aside, .first = {}}));
  EXPECT_EQ(program.path, root() / "usr/bin/fx-0.1");
}

TEST_F(Libraries, AreNotLookedForInCircles) {
  PutProgram({"liba.so"});
  Link("lib/liba.so", "/lib/liba.so");
  EXPECT_THAT(Gather(), IsError(ErrorCode::kNotFound, "the library liba.so"));
  Link("lib64/ld.so", "ld.so");
  EXPECT_THAT(Gather(), IsError(ErrorCode::kFailedPrecondition, "lib64/ld.so: more than 40 links"));
}

TEST_F(Libraries, OfAnotherMachineArePassedOver) {
  PutProgram({"liba.so"});
  Put("lib/x86_64-linux-gnu/liba.so", {.machine = EM_AARCH64});
  Put("usr/lib/liba.so", {});
  EXPECT_THAT(Paths(), ElementsAre("usr/lib/liba.so"));
}

TEST_F(Libraries, AreNamedWhenMissing) {
  PutProgram({"liba.so"});
  Put("lib/liba.so", {.needed = {"libgone.so.3"}});
  EXPECT_THAT(Gather(), IsError(ErrorCode::kNotFound, "the library libgone.so.3 for amd64"));
  EXPECT_THAT(Gather(), IsError(ErrorCode::kNotFound, "lib/liba.so needs (looked in "));
  EXPECT_THAT(Gather(), IsError(ErrorCode::kNotFound, "hint: install the package"));
}

TEST_F(Libraries, AreNotFetchedByPath) {
  PutProgram({"../../etc/shadow"});
  EXPECT_THAT(Gather(), IsError(ErrorCode::kInvalidArgument, "only names"));
}

TEST_F(Libraries, NeedAProgram) {
  Put("bin/fx", {.needed = {"liba.so"}});
  EXPECT_THAT(Gather(), IsError(ErrorCode::kInvalidArgument, "is a library, not a program"));
}

// This test is a program as well, and ldd tells what it needs.
TEST(RunningProgram, NeedsWhatLddSays) {
  const Path self = std::filesystem::read_symlink("/proc/self/exe");
  const Program program = Must(GatherProgram(self, {.root = "/", .first = {}}));
  const test::Ran ran = test::RunCommand("ldd '" + self.string() + "'");
  ASSERT_EQ(ran.exit_code, 0);
  std::size_t lines = 0;
  for (const Library& library : program.libraries) {
    EXPECT_THAT(ran.output, HasSubstr("\t" + library.name + " => "));
    ++lines;
  }
  EXPECT_EQ(std::ranges::count(ran.output, '>'), static_cast<std::ptrdiff_t>(lines));
}

}  // namespace
}  // namespace fx
