#include "fx/workspace/archive.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <set>
#include <string_view>

#include "core/base/format.h"
#include "fx/workspace/libarchive.h"
#include "fx/workspace/utf8_locale.h"

namespace fx {
namespace {

constexpr std::size_t kMostEntries = 100'000;
constexpr std::size_t kLongestName = 1024;

using Reader = ArchiveReader;
using Writer = ArchiveWriter;
using Entry = ArchiveItem;

// What is wrong with a name, as the end of a sentence; empty if nothing is.
std::string Complaint(std::string_view name) {
  if (name.empty()) return "has no name";
  if (name.size() > kLongestName) return "has a name of more than 1024 bytes";
  if (name.front() == '/') return "has an absolute name";
  if (std::ranges::any_of(name,
                          [](char c) { return (c >= 0 && c < ' ') || c == '\x7f' || c == '\\'; })) {
    return "has a control character or a backslash in its name";
  }
  while (!name.empty()) {
    const std::size_t end = name.find('/');
    const std::string_view part = name.substr(0, end);
    if (part == "..") return "leads out of the folder with \"..\"";
    if (part.empty() || part == ".") return "has an empty part or \".\" in its name";
    name.remove_prefix(end == std::string_view::npos ? name.size() : end + 1);
  }
  return "";
}

la_ssize_t AppendTo(archive*, void* sink, const void* bytes, std::size_t size) {
  static_cast<std::string*>(sink)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

Status WriteEntry(archive* zip, const ArchiveEntry& entry) {
  const Entry header(archive_entry_new());
  archive_entry_set_pathname_utf8(header.get(), entry.name.c_str());
  archive_entry_set_filetype(header.get(), entry.folder ? AE_IFDIR : AE_IFREG);
  archive_entry_set_perm(header.get(), entry.folder ? 0755 : 0644);
  // No time is set: the format then holds its epoch, the same in every time zone.
  if (!entry.folder) {
    archive_entry_set_size(header.get(), static_cast<la_int64_t>(entry.bytes.size()));
  }
  if (archive_write_header(zip, header.get()) != ARCHIVE_OK) {
    return Fail(ErrorCode::kInternal, format("{}: {}", Shown(entry.name), Why(zip)));
  }
  std::string_view rest = entry.folder ? std::string_view() : entry.bytes;
  while (!rest.empty()) {
    const la_ssize_t written = archive_write_data(zip, rest.data(), rest.size());
    if (written <= 0) return Fail(ErrorCode::kInternal, format("{}: {}", entry.name, Why(zip)));
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return Ok();
}

Result<std::string> ZipText(const std::vector<ArchiveEntry>& entries, bool stored) {
  std::string text;
  const Writer zip(archive_write_new());
  FX_CHECK(zip != nullptr);
  FX_CHECK(archive_write_set_format_zip(zip.get()) == ARCHIVE_OK);
  FX_CHECK((stored ? archive_write_zip_set_compression_store(zip.get())
                   : archive_write_zip_set_compression_deflate(zip.get())) == ARCHIVE_OK);
  FX_CHECK(archive_write_set_options(zip.get(), "zip:hdrcharset=UTF-8") == ARCHIVE_OK);
  archive_write_set_bytes_in_last_block(zip.get(), 1);
  FX_CHECK(archive_write_open2(zip.get(), &text, nullptr, AppendTo, nullptr, nullptr) ==
           ARCHIVE_OK);
  for (const ArchiveEntry& entry : entries) TRY(WriteEntry(zip.get(), entry));
  if (archive_write_close(zip.get()) != ARCHIVE_OK) {
    return Fail(ErrorCode::kInternal, Why(zip.get()));
  }
  return text;
}

// One pass over an untrusted archive.
class Unpacker {
 public:
  Unpacker(std::string place, std::uint64_t max_total)
      : place_(std::move(place)), left_(max_total) {}

  Result<std::vector<ArchiveEntry>> Run(std::string_view text) {
    zip_.reset(archive_read_new());
    FX_CHECK(zip_ != nullptr);
    // The variant that believes the central directory, as all others do; the streaming one could be
    // shown different entries.
    archive_read_support_format_zip_seekable(zip_.get());
    if (archive_read_open_memory(zip_.get(), text.data(), text.size()) != ARCHIVE_OK) {
      return Fail(NotAZip(Why(zip_.get())));
    }
    std::vector<ArchiveEntry> entries;
    archive_entry* header = nullptr;
    for (;;) {
      const int code = archive_read_next_header(zip_.get(), &header);
      if (code == ARCHIVE_EOF && !entries.empty()) return entries;
      if (code == ARCHIVE_EOF) return Fail(NotAZip("it holds nothing"));
      if (code < ARCHIVE_WARN) return Fail(NotAZip(Why(zip_.get())));
      if (entries.size() == kMostEntries) {
        return Fail(ErrorCode::kResourceExhausted,
                    format("{}: more than {} entries", place_, kMostEntries));
      }
      entries.push_back(TRY(ReadEntry(header)));
    }
  }

 private:
  Error NotAZip(const std::string& why) const {
    return Error(ErrorCode::kDataLoss,
                 format("{}: not a zip archive, or a damaged one ({})", place_, why))
        .Hint("fetch or send the file again");
  }

  tl::unexpected<Error> Refuse(std::string_view name, const std::string& complaint,
                               ErrorCode code = ErrorCode::kInvalidArgument) const {
    return Fail(code, format("{}: the entry \"{}\" {}", place_, Shown(name), complaint));
  }

  Result<ArchiveEntry> ReadEntry(archive_entry* header) {
    const char* utf8 = archive_entry_pathname_utf8(header);
    const char* name = utf8 == nullptr ? archive_entry_pathname(header) : utf8;
    ArchiveEntry entry{.name = name == nullptr ? "" : name, .bytes = "", .folder = false};
    const auto type = archive_entry_filetype(header);
    if (std::mbstowcs(nullptr, entry.name.c_str(), 0) == static_cast<std::size_t>(-1)) {
      return Refuse(entry.name, "has a name that is not UTF-8");
    }
    if (const std::string complaint = Complaint(entry.name); !complaint.empty()) {
      return Refuse(entry.name, complaint);
    }
    if (archive_entry_hardlink(header) != nullptr || (type != AE_IFREG && type != AE_IFDIR)) {
      return Refuse(entry.name, "is a link or a device; only files and folders are accepted");
    }
    if (archive_entry_is_encrypted(header) != 0) return Refuse(entry.name, "is encrypted");
    entry.folder = type == AE_IFDIR;
    if (entry.folder && entry.name.ends_with('/')) entry.name.pop_back();
    if (!seen_.insert(entry.name).second) return Refuse(entry.name, "occurs twice");
    if (!entry.folder) entry.bytes = TRY(ReadData(entry.name));
    return entry;
  }

  Result<std::string> ReadData(const std::string& name) {
    std::string bytes;
    std::array<char, 65536> block;
    for (;;) {
      const la_ssize_t n = archive_read_data(zip_.get(), block.data(), block.size());
      if (n == 0) return bytes;
      if (n < 0) return Refuse(name, "is damaged: " + Why(zip_.get()), ErrorCode::kDataLoss);
      const auto size = static_cast<std::uint64_t>(n);
      if (size > left_) {
        return Refuse(name, "makes the archive larger than allowed when unpacked",
                      ErrorCode::kResourceExhausted);
      }
      left_ -= size;
      bytes.append(block.data(), static_cast<std::size_t>(n));
    }
  }

  std::string place_;
  std::uint64_t left_;
  std::set<std::string> seen_;
  Reader zip_;
};

}  // namespace

Status WriteZip(const Path& path, const std::vector<ArchiveEntry>& entries, bool stored) {
  const Utf8Locale utf8;
  const std::string text = TRY(In(ZipText(entries, stored), "cannot write " + path.string()));
  return AtomicWrite(path, text);
}

Result<std::vector<ArchiveEntry>> ReadZip(const Path& path, std::uint64_t max_total) {
  const std::string text = TRY(ReadFile(path, max_total));
  const Utf8Locale utf8;
  return Unpacker(path.string(), max_total).Run(text);
}

}  // namespace fx
