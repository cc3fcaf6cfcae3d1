// What the two sources that call libarchive share: handles that free themselves, and its reasons
// in words that are safe to show.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

namespace fx {

struct ArchiveReaderFree {
  void operator()(archive* a) const { archive_read_free(a); }
};
struct ArchiveWriterFree {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct ArchiveEntryFree {
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};
using ArchiveReader = std::unique_ptr<archive, ArchiveReaderFree>;
using ArchiveWriter = std::unique_ptr<archive, ArchiveWriterFree>;
using ArchiveItem = std::unique_ptr<archive_entry, ArchiveEntryFree>;

// For terminals, of a text that is a stranger's: at most 100 bytes, without control characters.
inline std::string Shown(std::string_view text) {
  std::string out(text.substr(0, 100));
  std::ranges::replace_if(
      out, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, '?');
  return out;
}

// Why the last call failed. libarchive quotes names in its reasons, and ends some of them with a
// line break.
inline std::string Why(archive* a) {
  const char* const text = archive_error_string(a);
  if (text == nullptr) return "unknown reason";
  const std::string_view reason(text);
  return Shown(reason.substr(0, reason.find_last_not_of('\n') + 1));
}

}  // namespace fx
