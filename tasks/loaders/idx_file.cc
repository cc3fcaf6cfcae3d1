#include "tasks/loaders/idx_file.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "core/base/format.h"

namespace fx {
namespace {

constexpr std::uint8_t kUnsignedByte = 8;
// deflate cannot do better: 258 bytes for two bits.
constexpr std::uint64_t kMaxInflation = 1032;

Error Broken(const Path& path, const std::string& what) {
  return {ErrorCode::kDataLoss, format("{}: {}", path.string(), what)};
}

// The decoded bytes of a file, in order.
class Source {
 public:
  virtual ~Source() = default;
  // Fills `out`, or says why the file does not hold that much.
  virtual Status Read(std::span<std::uint8_t> out) = 0;
  virtual Status ExpectEnd() = 0;
  // How many decoded bytes the file can hold at most.
  virtual std::uint64_t limit() const = 0;
};

class PlainSource final : public Source {
 public:
  PlainSource(const Path& path, std::span<const char> bytes) : path_(path), bytes_(bytes) {}

  Status Read(std::span<std::uint8_t> out) override {
    if (out.size() > bytes_.size() - at_) {
      return Fail(Broken(path_, format("the file is truncated: it ends after {} bytes, {} more "
                                       "are missing",
                                       bytes_.size(), at_ + out.size() - bytes_.size())));
    }
    std::memcpy(out.data(), bytes_.data() + at_, out.size());
    at_ += out.size();
    return Ok();
  }

  Status ExpectEnd() override {
    if (at_ == bytes_.size()) return Ok();
    return Fail(Broken(path_, format("{} bytes follow the last value at byte {}; the file should "
                                     "end there",
                                     bytes_.size() - at_, at_)));
  }

  std::uint64_t limit() const override { return bytes_.size(); }

 private:
  const Path& path_;
  std::span<const char> bytes_;
  std::size_t at_ = 0;
};

class GzipSource final : public Source {
 public:
  GzipSource(const Path& path, std::span<char> bytes) : path_(path), size_(bytes.size()) {
    stream_.next_in = reinterpret_cast<Bytef*>(bytes.data());
    stream_.avail_in = static_cast<uInt>(bytes.size());
    FX_CHECK(inflateInit2(&stream_, MAX_WBITS + 16) == Z_OK);
  }
  ~GzipSource() override { inflateEnd(&stream_); }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  Status Read(std::span<std::uint8_t> out) override {
    const std::size_t missing = TRY(Inflate(out));
    if (missing == 0) return Ok();
    return Fail(Broken(path_, format("the unpacked file is truncated: it ends after {} bytes, {} "
                                     "more are missing",
                                     stream_.total_out, missing)));
  }

  // Reaching the end of the stream also checks its CRC-32 and length.
  Status ExpectEnd() override {
    std::array<std::uint8_t, 1> more{};
    if (TRY(Inflate(more)) == 0) {
      return Fail(Broken(path_, format("the unpacked file goes on after the last value at byte {}; "
                                       "it should end there",
                                       stream_.total_out - 1)));
    }
    if (stream_.avail_in == 0) return Ok();
    return Fail(Broken(path_, format("{} bytes follow the end of the gzip stream at byte {}",
                                     stream_.avail_in, size_ - stream_.avail_in)));
  }

  std::uint64_t limit() const override { return size_ * kMaxInflation; }

 private:
  // Returns how much of `out` the stream left unfilled when it ended.
  Result<std::size_t> Inflate(std::span<std::uint8_t> out) {
    stream_.next_out = out.data();
    stream_.avail_out = static_cast<uInt>(out.size());
    while (stream_.avail_out > 0 && !ended_) {
      const int code = inflate(&stream_, Z_NO_FLUSH);
      ended_ = code == Z_STREAM_END;
      if (code == Z_BUF_ERROR) {
        return Fail(Broken(path_, format("the gzip stream is truncated: the file ends after {} "
                                         "bytes",
                                         size_)));
      }
      if (code != Z_OK && code != Z_STREAM_END) {
        return Fail(Broken(
            path_, format("the gzip stream is damaged near byte {}: {}", size_ - stream_.avail_in,
                          stream_.msg != nullptr ? stream_.msg : "bad data")));
      }
    }
    return stream_.avail_out;
  }

  const Path& path_;
  std::uint64_t size_;
  z_stream stream_{};
  bool ended_ = false;
};

std::unique_ptr<Source> OpenSource(const Path& path, std::string& bytes) {
  if (bytes.starts_with("\x1f\x8b")) {
    return std::make_unique<GzipSource>(path, std::span(bytes.data(), bytes.size()));
  }
  return std::make_unique<PlainSource>(path, std::span<const char>(bytes.data(), bytes.size()));
}

Status CheckMagic(const Path& path, std::span<const std::uint8_t> found, unsigned rank) {
  const std::array<std::uint8_t, 4> wanted = {0, 0, kUnsignedByte, static_cast<std::uint8_t>(rank)};
  if (std::ranges::equal(found, wanted)) return Ok();
  return Fail(
      Error(ErrorCode::kInvalidArgument,
            format("{}: begins with {:02x} {:02x} {:02x} {:02x}, expected 00 00 08 {:02x} (an IDX "
                   "file of unsigned bytes of rank {})",
                   path.string(), found[0], found[1], found[2], found[3], rank, rank)));
}

Result<std::vector<std::uint32_t>> ReadExtents(const Path& path, Source& source, unsigned rank) {
  std::vector<std::uint32_t> extents;
  for (unsigned axis = 0; axis < rank; ++axis) {
    std::array<std::uint8_t, 4> big{};
    TRY(source.Read(big));
    const std::uint32_t extent = std::uint32_t{big[0]} << 24 | std::uint32_t{big[1]} << 16 |
                                 std::uint32_t{big[2]} << 8 | big[3];
    if (extent == 0) {
      return Fail(Broken(path, format("extent {} is 0; the file holds no samples", axis)));
    }
    extents.push_back(extent);
  }
  return extents;
}

// The product of the extents, once it is known to be no lie.
Result<std::size_t> CheckedCount(const Path& path, const Source& source,
                                 std::span<const std::uint32_t> extents) {
  std::uint64_t count = 1;
  for (const std::uint32_t extent : extents) {
    count *= extent;  // cannot overflow: at most 2^31 x 2^32
    if (count > kMaxIdxValues) {
      return Fail(ErrorCode::kResourceExhausted,
                  format("{}: the header claims more than {} values, the most that is read",
                         path.string(), kMaxIdxValues));
    }
  }
  if (count > source.limit()) {
    return Fail(Broken(path, format("the file is truncated: the header claims {} values, more than "
                                    "the file can hold",
                                    count)));
  }
  return static_cast<std::size_t>(count);
}

}  // namespace

Result<IdxArray> ReadIdx(const Path& path, unsigned rank) {
  std::string bytes = TRY(ReadFile(path, kMaxIdxFile));
  const std::unique_ptr<Source> source = OpenSource(path, bytes);

  std::array<std::uint8_t, 4> magic{};
  TRY(source->Read(magic));
  TRY(CheckMagic(path, magic, rank));
  IdxArray array;
  array.extents = TRY(ReadExtents(path, *source, rank));
  array.values.resize(TRY(CheckedCount(path, *source, array.extents)));
  TRY(source->Read(array.values));
  TRY(source->ExpectEnd());
  return array;
}

}  // namespace fx
