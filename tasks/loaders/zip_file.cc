#include "tasks/loaders/zip_file.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>

#include "core/base/format.h"

namespace fx {
namespace {

constexpr std::size_t kPiece = 1U << 20;

struct CloseArchive {
  void operator()(archive* opened) const { archive_read_free(opened); }
};
using ArchiveHandle = std::unique_ptr<archive, CloseArchive>;

Error Broken(const Path& path, archive* opened) {
  const char* why = archive_error_string(opened);
  return {ErrorCode::kDataLoss, format("{}: is no zip archive, or a damaged one: {}", path.string(),
                                       why != nullptr ? why : "it cannot be read")};
}

Result<std::string> ReadEntry(const Path& path, archive* opened, std::uint64_t limit) {
  std::string bytes;
  for (;;) {
    const std::size_t at = bytes.size();
    bytes.resize(at + kPiece);
    const la_ssize_t count = archive_read_data(opened, bytes.data() + at, kPiece);
    if (count < 0) return Fail(Broken(path, opened));
    bytes.resize(at + static_cast<std::size_t>(count));
    if (count == 0) return bytes;
    if (bytes.size() > limit) {
      return Fail(ErrorCode::kResourceExhausted,
                  format("{}: unpacks to more bytes than are read", path.string()));
    }
  }
}

}  // namespace

Result<std::map<std::string, std::string>> ReadZip(const Path& path,
                                                   const std::vector<std::string>& wanted,
                                                   std::uint64_t limit) {
  const ArchiveHandle opened(archive_read_new());
  FX_CHECK(archive_read_support_format_zip(opened.get()) == ARCHIVE_OK);
  if (archive_read_open_filename(opened.get(), path.c_str(), kPiece) != ARCHIVE_OK)
    return Fail(Broken(path, opened.get()));
  std::map<std::string, std::string> files;
  for (;;) {
    archive_entry* entry = nullptr;
    const int code = archive_read_next_header(opened.get(), &entry);
    if (code == ARCHIVE_EOF) return files;
    if (code != ARCHIVE_OK) return Fail(Broken(path, opened.get()));
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr || std::ranges::find(wanted, name) == wanted.end()) continue;
    std::string& bytes = files[name];
    bytes = TRY(ReadEntry(path, opened.get(), limit));
    limit -= bytes.size();
  }
}

}  // namespace fx
