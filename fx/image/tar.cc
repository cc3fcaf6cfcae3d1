#include "fx/image/tar.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "core/base/format.h"
#include "fx/workspace/libarchive.h"
#include "fx/workspace/utf8_locale.h"

namespace fx {
namespace {

constexpr std::size_t kMostEntries = 10'000;

using Reader = ArchiveReader;
using Writer = ArchiveWriter;
using Entry = ArchiveItem;

la_ssize_t AppendTo(archive*, void* sink, const void* bytes, std::size_t size) {
  static_cast<std::string*>(sink)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

Writer NewTar() {
  Writer tar(archive_write_new());
  FX_CHECK(tar != nullptr);
  FX_CHECK(archive_write_set_format_pax_restricted(tar.get()) == ARCHIVE_OK);
  archive_write_set_bytes_in_last_block(tar.get(), 1);
  return tar;
}

Status WriteHeader(archive* tar, const TarEntry& entry, std::uint64_t size, std::int64_t mtime) {
  const Utf8Locale utf8;
  const Entry header(archive_entry_new());
  archive_entry_set_pathname_utf8(header.get(), entry.name.c_str());
  archive_entry_set_filetype(header.get(), entry.folder ? AE_IFDIR : AE_IFREG);
  const unsigned usual = entry.folder ? 0755 : 0644;
  archive_entry_set_perm(header.get(), entry.mode == 0 ? usual : entry.mode);
  archive_entry_set_uid(header.get(), entry.owner);
  archive_entry_set_gid(header.get(), entry.owner);
  archive_entry_set_mtime(header.get(), mtime, 0);
  archive_entry_set_size(header.get(), static_cast<la_int64_t>(size));
  if (archive_write_header(tar, header.get()) == ARCHIVE_OK) return Ok();
  return Fail(ErrorCode::kInternal, format("{}: {}", entry.name, Why(tar)));
}

Status WriteData(archive* tar, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const la_ssize_t written = archive_write_data(tar, bytes.data(), bytes.size());
    if (written <= 0) return Fail(ErrorCode::kInternal, Why(tar));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return Ok();
}

Status Close(archive* writer) {
  if (archive_write_close(writer) == ARCHIVE_OK) return Ok();
  return Fail(ErrorCode::kInternal, Why(writer));
}

}  // namespace

Result<std::string> TarText(std::vector<TarEntry> entries, std::int64_t mtime) {
  std::ranges::sort(entries, {}, &TarEntry::name);
  FX_CHECK(std::ranges::adjacent_find(entries, {}, &TarEntry::name) == entries.end());
  std::string text;
  const Writer tar = NewTar();
  FX_CHECK(archive_write_open2(tar.get(), &text, nullptr, AppendTo, nullptr, nullptr) ==
           ARCHIVE_OK);
  for (const TarEntry& entry : entries) {
    TRY(WriteHeader(tar.get(), entry, entry.bytes.size(), mtime));
    TRY(WriteData(tar.get(), AsBytes(entry.bytes)));
  }
  TRY(Close(tar.get()));
  return text;
}

Result<std::string> GzipText(std::string_view bytes) {
  std::string text;
  const Writer gzip(archive_write_new());
  FX_CHECK(gzip != nullptr);
  FX_CHECK(archive_write_set_format_raw(gzip.get()) == ARCHIVE_OK);
  FX_CHECK(archive_write_add_filter_gzip(gzip.get()) == ARCHIVE_OK);
  FX_CHECK(archive_write_set_options(gzip.get(), "gzip:compression-level=6,gzip:!timestamp") ==
           ARCHIVE_OK);
  archive_write_set_bytes_in_last_block(gzip.get(), 1);
  FX_CHECK(archive_write_open2(gzip.get(), &text, nullptr, AppendTo, nullptr, nullptr) ==
           ARCHIVE_OK);
  TRY(WriteHeader(gzip.get(), {.name = "-"}, bytes.size(), 0));
  TRY(WriteData(gzip.get(), AsBytes(bytes)));
  TRY(Close(gzip.get()));
  return text;
}

std::string BuiltInLibarchive() {
#ifdef FX_STATIC_LIBARCHIVE
  const int version = archive_version_number();
  return format("{}.{}.{}", version / 1'000'000, version / 1000 % 1000, version % 1000);
#else
  return "";
#endif
}

struct TarFile::State {
  Path path;
  Path temporary;
  std::int64_t mtime = 0;
  std::optional<OutputFile> file;
  std::uint64_t position = 0;
  Status written;  // what the disk said; libarchive only learns that something failed
  Writer tar;

  ~State() {
    tar.reset();  // which may still write
    file.reset();
    if (!temporary.empty()) ::unlink(temporary.c_str());
  }

  static la_ssize_t Write(archive* a, void* self, const void* bytes, std::size_t size) {
    State& state = *static_cast<State*>(self);
    const std::span<const std::byte> piece(static_cast<const std::byte*>(bytes), size);
    if (state.written) state.written = state.file->WriteAt(state.position, piece);
    if (!state.written) {
      archive_set_error(a, EIO, "cannot write");
      return -1;
    }
    state.position += size;
    return static_cast<la_ssize_t>(size);
  }

  // The disk's words, if it was the disk.
  Status Said(Status status) const {
    if (!status && !written) return written;
    return status;
  }
};

TarFile::TarFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
TarFile::TarFile(TarFile&&) noexcept = default;
TarFile& TarFile::operator=(TarFile&&) noexcept = default;
TarFile::~TarFile() = default;

Result<TarFile> TarFile::Create(const Path& path, std::int64_t mtime) {
  const Path temporary =
      path.parent_path() / format(".{}.{}.part", path.filename().string(), ::getpid());
  auto state = std::make_unique<State>();
  state->file = TRY(OutputFile::Open(temporary));
  state->path = path;
  state->temporary = temporary;
  state->mtime = mtime;
  state->tar = NewTar();
  FX_CHECK(archive_write_open2(state->tar.get(), state.get(), nullptr, State::Write, nullptr,
                               nullptr) == ARCHIVE_OK);
  return TarFile(std::move(state));
}

Status TarFile::AddFolder(const std::string& name) {
  return state_->Said(
      WriteHeader(state_->tar.get(), {.name = name, .folder = true}, 0, state_->mtime));
}

Status TarFile::Begin(const std::string& name, std::uint64_t size) {
  return state_->Said(WriteHeader(state_->tar.get(), {.name = name}, size, state_->mtime));
}

Status TarFile::Append(std::span<const std::byte> bytes) {
  return state_->Said(WriteData(state_->tar.get(), bytes));
}

Status TarFile::Add(const std::string& name, std::string_view bytes) {
  TRY(Begin(name, bytes.size()));
  return Append(AsBytes(bytes));
}

Status TarFile::Finish() {
  TRY(state_->Said(Close(state_->tar.get())));
  TRY(state_->file->Sync());
  TRY(RenameDurably(state_->temporary, state_->path));
  state_->temporary.clear();
  return Ok();
}

namespace {

// The entry's bytes, once the header has been read.
Status PassOn(archive* tar, const std::string& place, std::uint64_t limit, const ByteSink& sink) {
  std::vector<std::byte> block(1 << 18);
  for (std::uint64_t left = limit;;) {
    const la_ssize_t n = archive_read_data(tar, block.data(), block.size());
    if (n == 0) return Ok();
    if (n < 0) return Fail(ErrorCode::kDataLoss, format("{} is damaged: {}", place, Why(tar)));
    if (static_cast<std::uint64_t>(n) > left) {
      return Fail(ErrorCode::kResourceExhausted,
                  format("{} has more than the {} bytes it may have", place, limit));
    }
    left -= static_cast<std::uint64_t>(n);
    TRY(sink(std::span(block).first(static_cast<std::size_t>(n))));
  }
}

tl::unexpected<Error> NoTar(const Path& path, archive* tar) {
  return Fail(ErrorCode::kDataLoss,
              format("{} is no tar file, or a damaged one: {}", path.string(), Why(tar)));
}

// Names as they are usually written: without "./" before them.
std::string_view PlainName(archive_entry* header) {
  const char* const text = archive_entry_pathname(header);
  std::string_view name = text == nullptr ? "" : text;
  if (name.starts_with("./")) name.remove_prefix(2);
  return name;
}

}  // namespace

Status ReadFromTar(const Path& path, const std::string& name, std::uint64_t limit,
                   const ByteSink& sink) {
  const Reader tar(archive_read_new());
  FX_CHECK(tar != nullptr);
  archive_read_support_format_tar(tar.get());
  if (archive_read_open_filename(tar.get(), path.c_str(), 1 << 18) != ARCHIVE_OK) {
    return NoTar(path, tar.get());
  }
  for (std::size_t entries = 0;; ++entries) {
    archive_entry* header = nullptr;
    const int code = archive_read_next_header(tar.get(), &header);
    if (code == ARCHIVE_EOF) {
      return Fail(ErrorCode::kNotFound, format("{} has no {}", path.string(), name));
    }
    if (code < ARCHIVE_WARN) return NoTar(path, tar.get());
    if (entries == kMostEntries) {
      return Fail(ErrorCode::kResourceExhausted,
                  format("{} has more than {} entries", path.string(), kMostEntries));
    }
    if (PlainName(header) != name) continue;
    const std::string place = format("{} in {}", name, path.string());
    if (archive_entry_filetype(header) != AE_IFREG || archive_entry_hardlink(header) != nullptr) {
      return Fail(ErrorCode::kInvalidArgument, place + " is a link or a folder, not a file");
    }
    return PassOn(tar.get(), place, limit, sink);
  }
}

}  // namespace fx
