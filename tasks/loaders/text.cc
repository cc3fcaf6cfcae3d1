#include "tasks/loaders/text.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/format.h"
#include "tasks/loaders/parts.h"
#include "tasks/loaders/split.h"
#include "tasks/loaders/text_file.h"

namespace fx {
namespace {

constexpr std::uint64_t kMaxText = 1ULL << 30;

using Units = std::vector<std::string>;

void AppendLines(std::string_view text, Units& units) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    units.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

Result<std::vector<Path>> FilesOf(const Path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return std::vector<Path>{path};
  std::vector<Path> files = TRY(ListFolder(path));
  std::erase_if(files, [](const Path& file) { return file.extension() != ".txt"; });
  if (!files.empty()) return files;
  return Fail(ErrorCode::kNotFound, path.string() + ": there are no .txt files in it");
}

Result<Units> ReadUnits(const Path& path, TextUnit unit) {
  Units units;
  for (const Path& file : TRY(FilesOf(path))) {
    std::string text = TRY(ReadText(file, kMaxText));
    if (unit == TextUnit::kLine)
      AppendLines(text, units);
    else if (!text.empty())
      units.push_back(std::move(text));
  }
  return units;
}

Units TakeUnits(const Units& all, const std::vector<std::uint32_t>& indices) {
  Units taken;
  for (const std::uint32_t i : indices) taken.push_back(all[i]);
  return taken;
}

struct TextParts {
  Units train, validation;
};

// The folder's or file's own validation part, or the share held out.
Result<TextParts> LoadParts(const DataLoaderSettings& settings, const Path& path) {
  const TextUnit unit = settings.text.unit;
  for (const char* end : {"", ".txt"}) {
    const Path train = path / format("train{}", end);
    if (!Exists(train)) continue;
    TextParts parts;
    parts.train = TRY(ReadUnits(train, unit));
    parts.validation = TRY(ReadUnits(path / format("validation{}", end), unit));
    return parts;
  }
  const Units all = TRY(ReadUnits(path, unit));
  if (all.size() < 2) {
    return Fail(ErrorCode::kInvalidArgument,
                format("{} has {} {}; at least 2 are needed, one of them for validation",
                       path.string(), all.size(), unit == TextUnit::kLine ? "lines" : "files"));
  }
  const SiteSamples held = HoldOut(all.size(), settings.validation_share, settings.split.seed);
  return TextParts{.train = TakeUnits(all, held.train),
                   .validation = TakeUnits(all, held.validation)};
}

Result<TextParts> TakeShardOf(const DataLoaderSettings& settings, const DataPlace& place,
                              TextParts parts) {
  if (!place.shard || place.shard->sites == 1) return parts;
  const SiteSamples mine =
      TRY(In(SplitSamples(settings.split, {.size = parts.train.size(), .labels = {}},
                          {.size = parts.validation.size(), .labels = {}}, place.shard->site,
                          place.shard->sites),
             place.path.string()));
  return TextParts{.train = TakeUnits(parts.train, mine.train),
                   .validation = TakeUnits(parts.validation, mine.validation)};
}

// The number of each byte.
std::array<std::uint8_t, 256> NumberCharacters(const std::string& alphabet) {
  std::array<std::uint8_t, 256> numbers{};
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    numbers[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i + 1);
  return numbers;
}

Result<Samples> CutSequences(const TextSpec& spec, const Path& path, const Units& units,
                             const char* part) {
  const auto numbers = NumberCharacters(spec.alphabet);
  std::vector<float> text;
  for (const std::string& unit : units)
    for (const char c : unit) text.push_back(numbers[static_cast<std::uint8_t>(c)]);
  const auto length = static_cast<std::size_t>(spec.sequence_length);
  if (text.size() <= length) {
    return Fail(ErrorCode::kInvalidArgument,
                format("{}: the {} text has {} characters; a sequence of {} needs one more",
                       path.string(), part, text.size(), length));
  }
  const std::size_t count = (text.size() - 1) / length;
  Samples samples{
      .shape = {spec.sequence_length}, .target_shape = {spec.sequence_length}, .size = count};
  const auto end = static_cast<std::ptrdiff_t>(count * length);
  samples.targets.assign(text.begin() + 1, text.begin() + 1 + end);
  text.resize(count * length);
  samples.values = std::move(text);
  return samples;
}

}  // namespace

Result<std::unique_ptr<DataLoader>> MakeTextDataLoader(const DataLoaderSettings& settings,
                                                       const std::string& data_path) {
  const DataPlace place = TRY(FindData(settings, data_path,
                                       "text is a file, a folder of .txt files, or a folder with "
                                       "train and validation in it"));
  TextParts all = TRY(LoadParts(settings, place.path));
  const TextParts mine = TRY(TakeShardOf(settings, place, std::move(all)));
  Parts parts;
  parts.train = TRY(CutSequences(settings.text, place.path, mine.train, "training"));
  parts.validation = TRY(CutSequences(settings.text, place.path, mine.validation, "validation"));
  return MakeLoader(settings, std::move(parts));
}

}  // namespace fx
