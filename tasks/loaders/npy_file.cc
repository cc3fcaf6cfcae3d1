#include "tasks/loaders/npy_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "core/base/format.h"
#include "tasks/loaders/zip_file.h"

namespace fx {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr std::size_t kMaxRank = 8;

Error Broken(const std::string& name, const std::string& what) {
  return {ErrorCode::kDataLoss, format("{}: {}", name, what)};
}

// What follows `'key': ` in the header, up to the end of the header.
std::string_view ValueOf(std::string_view header, const std::string& key) {
  const std::string quoted = format("'{}':", key);
  const std::size_t at = header.find(quoted);
  if (at == std::string_view::npos) return {};
  header.remove_prefix(at + quoted.size());
  const std::size_t begin = header.find_first_not_of(' ');
  return begin == std::string_view::npos ? std::string_view() : header.substr(begin);
}

// (3, 4) or (3,); nothing if it is neither.
std::optional<Shape> ParseShape(std::string_view text) {
  const std::size_t close = text.find(')');
  if (!text.starts_with('(') || close == std::string_view::npos) return std::nullopt;
  text = text.substr(1, close - 1);
  Shape shape;
  while (!text.empty()) {
    std::int64_t extent = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), extent);
    if (error != std::errc() || extent < 0 || shape.size() == kMaxRank) return std::nullopt;
    shape.push_back(extent);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    text.remove_prefix(std::min(text.find_first_not_of(", "), text.size()));
  }
  return shape;
}

struct Header {
  std::string type;  // u1, f4
  Shape shape;
  std::size_t values_at = 0;
};

Result<std::string_view> HeaderText(std::string_view text, const std::string& name,
                                    std::size_t& end) {
  constexpr std::size_t kVersionAt = 6, kLengthAt = 8;
  if (!text.starts_with(kMagic) || text.size() < kLengthAt + 4)
    return Fail(Broken(name, "is no array of numpy: it does not begin with \\x93NUMPY"));
  const std::size_t bytes = text[kVersionAt] == 1 ? 2 : 4;
  std::size_t length = 0;
  for (std::size_t i = 0; i < bytes; ++i)
    length |= std::size_t{static_cast<std::uint8_t>(text[kLengthAt + i])} << (8 * i);
  end = kLengthAt + bytes + length;
  if (end > text.size()) return Fail(Broken(name, "the file is truncated in its header"));
  return text.substr(kLengthAt + bytes, length);
}

Result<Header> ParseHeader(std::string_view text, const std::string& name) {
  Header header;
  const std::string_view literal = TRY(HeaderText(text, name, header.values_at));
  const std::string_view type = ValueOf(literal, "descr");
  if (ValueOf(literal, "fortran_order").starts_with("True")) {
    return Fail(Error(ErrorCode::kInvalidArgument, name + ": is in Fortran order")
                    .Hint("save numpy.ascontiguousarray(array)"));
  }
  constexpr std::size_t kTypeLength = 5;  // '<f4'
  const bool quoted = type.size() >= kTypeLength && type[0] == '\'' && type[4] == '\'';
  if (!quoted || (type[1] != '<' && type[1] != '|')) {
    return Fail(Error(ErrorCode::kInvalidArgument,
                      format("{}: holds values of type {}, expected little-endian numbers", name,
                             type.substr(0, type.find(','))))
                    .Hint("save array.astype(\"<f4\")"));
  }
  header.type = type.substr(2, 2);
  const std::optional<Shape> shape = ParseShape(ValueOf(literal, "shape"));
  if (!shape) return Fail(Broken(name, "has no shape that could be read"));
  header.shape = *shape;
  return header;
}

// The number of values, once it is known to be no lie.
Result<std::size_t> CheckSize(const Header& header, const std::string& name, std::size_t width,
                              std::size_t available) {
  std::size_t count = 1;
  for (const std::int64_t extent : header.shape) {
    if (extent == 0) return Fail(Broken(name, "is empty: its shape is " + ToString(header.shape)));
    if (static_cast<std::size_t>(extent) > kMaxNpyFile / count)
      return Fail(
          Broken(name, format("claims the shape {}, more than is read", ToString(header.shape))));
    count *= static_cast<std::size_t>(extent);
  }
  if (count * width == available) return count;
  return Fail(Broken(name, format("has {} bytes of values, but its shape {} needs {}", available,
                                  ToString(header.shape), count * width)));
}

template <typename T>
Result<std::vector<float>> Convert(std::string_view values, const std::string& name) {
  std::vector<float> out(values.size() / sizeof(T));
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value{};
    std::memcpy(&value, values.data() + i * sizeof(T), sizeof(T));
    out[i] = static_cast<float>(value);
    if (std::isfinite(out[i])) continue;
    return Fail(ErrorCode::kInvalidArgument,
                format("{}: value {} is not a finite float32", name, i));
  }
  return out;
}

using Converter = Result<std::vector<float>> (*)(std::string_view, const std::string&);
struct NumpyType {
  std::string_view name;
  std::size_t width;
  Converter convert;
};
constexpr std::array<NumpyType, 9> kTypes = {{{"u1", 1, nullptr},
                                              {"b1", 1, nullptr},
                                              {"i1", 1, Convert<std::int8_t>},
                                              {"i2", 2, Convert<std::int16_t>},
                                              {"u2", 2, Convert<std::uint16_t>},
                                              {"i4", 4, Convert<std::int32_t>},
                                              {"i8", 8, Convert<std::int64_t>},
                                              {"f4", 4, Convert<float>},
                                              {"f8", 8, Convert<double>}}};

Result<std::map<std::string, NpyArray>> ReadFolder(const Path& folder,
                                                   const std::vector<std::string>& wanted) {
  std::map<std::string, NpyArray> arrays;
  for (const std::string& name : wanted) {
    const Path path = folder / (name + ".npy");
    const std::string text = TRY(ReadFile(path, kMaxNpyFile));
    arrays[name] = TRY(ParseNpy(text, path.string()));
  }
  return arrays;
}

}  // namespace

Result<NpyArray> ParseNpy(std::string_view text, const std::string& name) {
  const Header header = TRY(ParseHeader(text, name));
  const auto type = std::ranges::find(kTypes, std::string_view(header.type), &NumpyType::name);
  if (type == kTypes.end()) {
    return Fail(ErrorCode::kInvalidArgument,
                format("{}: holds values of type {}, expected one of u1, b1, i1, i2, u2, i4, i8, "
                       "f4, f8",
                       name, header.type));
  }
  const std::string_view values = text.substr(header.values_at);
  TRY(CheckSize(header, name, type->width, values.size()));
  NpyArray array{.shape = header.shape, .bytes = {}, .values = {}};
  if (type->convert == nullptr)
    array.bytes.assign(values.begin(), values.end());
  else
    array.values = TRY(type->convert(values, name));
  return array;
}

Result<std::map<std::string, NpyArray>> ReadArrays(const Path& path,
                                                   const std::vector<std::string>& wanted) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return ReadFolder(path, wanted);
  std::vector<std::string> names;
  for (const std::string& name : wanted) names.push_back(name + ".npy");
  const std::map<std::string, std::string> files = TRY(ReadZip(path, names, kMaxNpyFile));
  std::map<std::string, NpyArray> arrays;
  for (const std::string& name : wanted) {
    const auto found = files.find(name + ".npy");
    if (found == files.end()) {
      return Fail(ErrorCode::kNotFound, format("{}: there is no array {}; expected x_train, "
                                               "y_train, x_test and y_test",
                                               path.string(), name));
    }
    arrays[name] = TRY(ParseNpy(found->second, format("{}: {}", path.string(), name)));
  }
  return arrays;
}

}  // namespace fx
