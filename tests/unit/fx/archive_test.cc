#include "fx/workspace/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "tests/support/matchers.h"
#include "tests/support/run_command.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using test::IsOkAndHolds;
using test::RunCommand;
using testing::HasSubstr;

constexpr const char* kPython = "/usr/bin/python3 -W ignore -c ";

class Archive : public testing::Test {
 protected:
  Path File() const { return folder_.path() / "a.zip"; }

  // Runs Python with `z` open for writing.
  void MakeWithPython(const std::string& statements) const {
    const auto ran =
        RunCommand(std::string(kPython) + "\"\nimport zipfile, stat\nz = " + "zipfile.ZipFile('" +
                   File().string() + "', 'w')\n" + statements + "\nz.close()\"");
    ASSERT_EQ(ran.exit_code, 0) << ran.output;
  }
  void WriteEntryNamed(const std::string& name) const {
    MakeWithPython("z.writestr(zipfile.ZipInfo('" + name + "'), 'x')");
  }

 private:
  TempDir folder_;
};

TEST_F(Archive, ReadsWhatItWrote) {
  const std::vector<ArchiveEntry> entries = {
      {.name = "plan", .bytes = "", .folder = true},
      {.name = "plan/plan.yaml", .bytes = std::string(100'000, 'a'), .folder = false},
      {.name = "\xC3\xA4.txt", .bytes = std::string("\0\n\xFF", 3), .folder = false},
      {.name = "empty", .bytes = "", .folder = false}};
  for (const bool stored : {false, true}) {
    ASSERT_THAT(WriteZip(File(), entries, stored), IsOk());
    const auto read = ReadZip(File());
    ASSERT_THAT(read, IsOk());
    ASSERT_EQ(read->size(), entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      EXPECT_EQ((*read)[i].name, entries[i].name);
      EXPECT_EQ((*read)[i].bytes, entries[i].bytes);
      EXPECT_EQ((*read)[i].folder, entries[i].folder);
    }
  }
}

TEST_F(Archive, WritesWhatPythonReads) {
  const std::vector<ArchiveEntry> entries = {
      {.name = "f", .bytes = "", .folder = true},
      {.name = "f/\xC3\xA4.txt", .bytes = "hello", .folder = false}};
  for (const bool stored : {false, true}) {
    ASSERT_THAT(WriteZip(File(), entries, stored), IsOk());
    const auto ran = RunCommand(
        std::string(kPython) + "\"import zipfile\nz = zipfile.ZipFile('" + File().string() +
        "')\nprint(z.testzip(), ascii(z.namelist()), z.read('f/\xC3\xA4.txt'),"
        " z.getinfo('f/\xC3\xA4.txt').compress_type)\"");
    EXPECT_EQ(ran.output,
              std::string("None ['f/', 'f/\\xe4.txt'] b'hello' ") + (stored ? "0\n" : "8\n"));
  }
}

TEST_F(Archive, IsTheSameFileOnAnyDayInAnyTimeZone) {
  const std::vector<ArchiveEntry> entries = {{.name = "a", .bytes = "x", .folder = false},
                                             {.name = "b", .bytes = "", .folder = true}};
  ASSERT_THAT(WriteZip(File(), entries), IsOk());
  const auto first = ReadFile(File());
  const char* before = std::getenv("TZ");
  const std::string zone = before == nullptr ? "" : before;
  setenv("TZ", "Pacific/Kiritimati", 1);
  ASSERT_THAT(WriteZip(File(), entries), IsOk());
  before == nullptr ? unsetenv("TZ") : setenv("TZ", zone.c_str(), 1);
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(ReadFile(File()), IsOkAndHolds(*first));
}

TEST_F(Archive, ReadsWhatPythonWrites) {
  MakeWithPython(
      "z.writestr('a/b.txt', 'hello', zipfile.ZIP_DEFLATED)\n"
      "z.writestr('c.txt', 'stored')\nz.writestr('d/', '')");
  const auto read = ReadZip(File());
  ASSERT_THAT(read, IsOk());
  ASSERT_EQ(read->size(), 3U);
  EXPECT_EQ((*read)[0].name, "a/b.txt");
  EXPECT_EQ((*read)[0].bytes, "hello");
  EXPECT_EQ((*read)[2].name, "d");
  EXPECT_TRUE((*read)[2].folder);
}

TEST_F(Archive, RefusesNamesThatLeadElsewhere) {
  const std::pair<const char*, const char*> cases[] = {
      {"../x", "the entry \"../x\" leads out of the folder"},
      {"a/../../x", "leads out of the folder"},
      {"a/..", "leads out of the folder"},
      {"/etc/passwd", "has an absolute name"},
      {"..\\\\\\\\x", "leads out of the folder"},
      {"a/b\\\\\\\\c", "has a control character or a backslash"},
      {"a\\nb", "has a control character or a backslash"},
      {"a//b", "has an empty part"},
      {"./a", "has an empty part"},
  };
  for (const auto& [name, complaint] : cases) {
    WriteEntryNamed(name);
    EXPECT_THAT(ReadZip(File()), IsError(ErrorCode::kInvalidArgument, complaint)) << name;
  }
}

TEST_F(Archive, RefusesANameThatIsNotUtf8) {
  WriteEntryNamed("caf_.txt");
  auto bytes = ReadFile(File());
  std::ranges::replace(*bytes, '_', '\xE9');  // here and in the central directory
  ASSERT_THAT(AtomicWrite(File(), *bytes), IsOk());
  EXPECT_THAT(ReadZip(File()), IsError(ErrorCode::kInvalidArgument, "is not UTF-8"));
}

TEST_F(Archive, RefusesLinksAndDevices) {
  for (const char* kind : {"S_IFLNK", "S_IFCHR"}) {
    MakeWithPython(std::string("i = zipfile.ZipInfo('x')\ni.create_system = 3\n"
                               "i.external_attr = (stat.") +
                   kind + " | 0o777) << 16\nz.writestr(i, '/etc/passwd')");
    EXPECT_THAT(ReadZip(File()),
                IsError(ErrorCode::kInvalidArgument, "the entry \"x\" is a link or a device"))
        << kind;
  }
}

TEST_F(Archive, RefusesANameThatOccursTwice) {
  MakeWithPython("z.writestr('x', '1')\nz.writestr('x', '2')");
  EXPECT_THAT(ReadZip(File()), IsError(ErrorCode::kInvalidArgument, "\"x\" occurs twice"));
}

TEST_F(Archive, RefusesAFileThatUnpacksToTooMuch) {
  MakeWithPython("z.writestr('bomb', bytes(8 << 20), zipfile.ZIP_DEFLATED)");
  EXPECT_THAT(ReadZip(File(), 1 << 20),
              IsError(ErrorCode::kResourceExhausted,
                      "the entry \"bomb\" makes the archive larger than allowed"));
  EXPECT_THAT(ReadZip(File(), 8 << 20), IsOk());
}

TEST_F(Archive, CountsAllFilesTogether) {
  MakeWithPython("for i in range(9): z.writestr(str(i), bytes(1 << 20), zipfile.ZIP_DEFLATED)");
  EXPECT_THAT(ReadZip(File(), 8 << 20),
              IsError(ErrorCode::kResourceExhausted, "the entry \"8\" makes the archive larger"));
}

TEST_F(Archive, RefusesTooManyEntries) {
  MakeWithPython("for i in range(100001): z.writestr(zipfile.ZipInfo(str(i)), '')");
  EXPECT_THAT(ReadZip(File()), IsError(ErrorCode::kResourceExhausted, "more than 100000 entries"));
}

TEST_F(Archive, RefusesATruncatedFileWhereverItEnds) {
  MakeWithPython("z.writestr('a.txt', 'hello')\nz.writestr('b.txt', 'world')");
  const auto whole = ReadFile(File());
  ASSERT_THAT(whole, IsOk());
  for (std::size_t size = 0; size < whole->size(); size += 7) {
    ASSERT_THAT(AtomicWrite(File(), whole->substr(0, size)), IsOk());
    EXPECT_THAT(ReadZip(File()), IsError(ErrorCode::kDataLoss, "not a zip archive, or a damaged"))
        << size;
  }
}

TEST_F(Archive, RefusesAnArchiveWithoutEntries) {
  ASSERT_THAT(WriteZip(File(), {}), IsOk());
  EXPECT_THAT(ReadZip(File()), IsError(ErrorCode::kDataLoss, "not a zip archive, or a damaged"));
}

TEST_F(Archive, RefusesAFileWhoseBytesWereChanged) {
  MakeWithPython("z.writestr('a.txt', 'hello')");
  auto bytes = ReadFile(File());
  bytes->replace(bytes->find("hello"), 5, "jello");
  ASSERT_THAT(AtomicWrite(File(), *bytes), IsOk());
  EXPECT_THAT(ReadZip(File()), IsError(ErrorCode::kDataLoss, "\"a.txt\" is damaged"));
}

TEST_F(Archive, RefusesAFileThatIsNotAsLongAsItSaysInOneLine) {
  const ArchiveEntry entry = {.name = "a.txt", .bytes = std::string(45, 'x'), .folder = false};
  ASSERT_THAT(WriteZip(File(), {entry}), IsOk());
  auto bytes = ReadFile(File());
  constexpr std::size_t kSize = 22;  // in what precedes the data of an entry
  bytes->at(bytes->find("PK\3\4") + kSize) = '\x2E';
  ASSERT_THAT(AtomicWrite(File(), *bytes), IsOk());
  const auto read = ReadZip(File());
  ASSERT_THAT(read, IsError(ErrorCode::kDataLoss, "\"a.txt\" is damaged"));
  EXPECT_THAT(read.error().OneLine(), testing::EndsWith("(read 45, expected 46)"));
}

TEST_F(Archive, RefusesAFileWhoseDirectoryIsLost) {
  MakeWithPython("z.writestr('a.txt', 'hello')");
  auto bytes = ReadFile(File());
  bytes->at(bytes->find("PK\1\2")) = 'Q';
  ASSERT_THAT(AtomicWrite(File(), *bytes), IsOk());
  EXPECT_THAT(ReadZip(File()), IsError(ErrorCode::kDataLoss, "it holds nothing"));
}

TEST_F(Archive, RefusesOtherKindsOfFiles) {
  ASSERT_THAT(AtomicWrite(File(), "#!/bin/sh\necho no\n"), IsOk());
  EXPECT_THAT(ReadZip(File()), IsError(ErrorCode::kDataLoss, "not a zip archive"));
  EXPECT_THAT(ReadZip(File().parent_path() / "none.zip"),
              IsError(ErrorCode::kNotFound, "none.zip"));
}

}  // namespace
}  // namespace fx
