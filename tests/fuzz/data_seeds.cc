#include "tests/fuzz/data_seeds.h"

#include <stb/stb_image_write.h>
#include <zlib.h>

#include <array>
#include <cstring>
#include <span>

#include "core/base/format.h"
#include "fx/workspace/archive.h"
#include "tests/support/must.h"

namespace fx::fuzz {
namespace {

using test::Must;

std::string Gzip(std::string plain) {
  std::string out(plain.size() + 100, '\0');
  z_stream stream{};
  FX_CHECK(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  FX_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  FX_CHECK(deflateEnd(&stream) == Z_OK);
  return out;
}

template <typename T>
void Put(std::string& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof(value));
}

// 2 x 3 x 2 values of 16 bits, scaled. Offsets: https://nifti.nimh.nih.gov/nifti-1.
std::string Nifti() {
  std::string bytes(352, '\0');
  Put(bytes, 0, std::int32_t{348});
  const std::array<std::int16_t, 8> dim = {3, 2, 3, 2, 1, 1, 1, 1};
  for (std::size_t i = 0; i < dim.size(); ++i) Put(bytes, 40 + 2 * i, dim[i]);
  Put(bytes, 70, std::int16_t{4});
  Put(bytes, 72, std::int16_t{16});
  for (std::size_t i = 0; i < 4; ++i) Put(bytes, 76 + 4 * i, 1.0F);
  Put(bytes, 108, 352.0F);
  Put(bytes, 112, 0.5F);
  Put(bytes, 116, 1.0F);
  std::memcpy(bytes.data() + 344, "n+1", 4);
  for (std::int16_t i = 0; i < 12; ++i) bytes.append(reinterpret_cast<const char*>(&i), sizeof(i));
  return bytes;
}

std::string Npy(const std::string& type, const std::string& shape, std::size_t bytes) {
  std::string header =
      format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", type, shape);
  header.resize(118 - 1, ' ');
  header += '\n';
  return "\x93NUMPY\x01" + std::string(1, '\0') + std::string("\x76\0", 2) + header +
         std::string(bytes, '\1');
}

std::string Npz(bool stored) {
  const TempDir folder;
  const Path path = folder.path() / "npz";
  std::vector<ArchiveEntry> entries;
  for (const char* part : {"train", "test"}) {
    entries.push_back({.name = format("x_{}.npy", part), .bytes = Npy("<f4", "(2, 3)", 24)});
    entries.push_back({.name = format("y_{}.npy", part), .bytes = Npy("|u1", "(2,)", 2)});
  }
  Must(WriteZip(path, entries, stored));
  return Must(ReadFile(path));
}

void Append(void* out, void* data, int size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(data),
                                         static_cast<std::size_t>(size));
}

// 12 x 10 pixels with something in them.
std::vector<unsigned char> Pixels(int channels) {
  std::vector<unsigned char> pixels;
  for (int i = 0; i < 120 * channels; ++i)
    pixels.push_back(static_cast<unsigned char>(i * i / 7 + 40 * (i % channels)));
  return pixels;
}

std::vector<DataSeed> PictureSeeds() {
  std::vector<DataSeed> seeds;
  for (const int channels : {1, 3, 4}) {
    const auto pixels = Pixels(channels);
    DataSeed png{.target = "picture", .name = format("png-{}", channels), .bytes = ""};
    DataSeed jpeg{.target = "picture", .name = format("jpeg-{}", channels), .bytes = ""};
    FX_CHECK(stbi_write_png_to_func(Append, &png.bytes, 12, 10, channels, pixels.data(), 0) != 0);
    FX_CHECK(stbi_write_jpg_to_func(Append, &jpeg.bytes, 12, 10, channels, pixels.data(), 80) != 0);
    seeds.push_back(png);
    seeds.push_back(jpeg);
  }
  seeds.push_back({"picture", "pgm", "P5\n# grey\n3 2\n255\nabcdef"});
  seeds.push_back({"picture", "ppm", "P6 1 2 255 abcdef"});
  return seeds;
}

}  // namespace

std::vector<DataSeed> DataSeeds() {
  const std::string images("\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x01wxyz", 20);
  const std::string labels("\0\0\x08\x01\0\0\0\x03\1\2\3", 11);
  std::vector<DataSeed> seeds = PictureSeeds();
  seeds.push_back({"idx", "images", images});
  seeds.push_back({"idx", "labels", labels});
  seeds.push_back({"idx", "images-gz", Gzip(images)});
  seeds.push_back({"csv", "commas",
                   "\x02"
                   "a,b,\"c \"\"d\"\"\",e\n1,2.5,-3e2,0\r\n4,?,6,1\n7,8,9,1\n"});
  seeds.push_back({"csv", "semicolons",
                   "\x1D"
                   "word;x;y\na;+1;0.5\nb;NA;1\n\n;3;2\n"});
  seeds.push_back({"numpy", "floats", Npy("<f4", "(2, 3)", 24)});
  seeds.push_back({"numpy", "doubles", Npy("<f8", "(1,)", 8)});
  seeds.push_back({"numpy", "bytes", Npy("|u1", "(5,)", 5)});
  seeds.push_back({"numpy", "zip", Npz(false)});
  seeds.push_back({"numpy", "zip-stored", Npz(true)});
  seeds.push_back({"nifti", "plain", "0" + Nifti()});
  seeds.push_back({"nifti", "gzipped", "1" + Gzip(Nifti())});
  seeds.push_back({"text", "lines",
                   "\x03"
                   "a cab\nabc abc\nca\nbb a\n"});
  return seeds;
}

}  // namespace fx::fuzz
