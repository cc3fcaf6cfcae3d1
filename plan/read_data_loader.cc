// The section data_loader: which loader, and what it is told. A key that the chosen loader has no
// use for is unknown to it.
#include <array>
#include <set>

#include "core/base/format.h"
#include "plan/python_parts.h"
#include "plan/read_sections.h"
#include "plan/section_reader.h"

namespace fx {
namespace {

using Open = MappingReader::Open;

constexpr std::int64_t kMaxPixels = 1 << 14;
constexpr std::size_t kMaxAlphabet = 255;
constexpr double kMaxValue = 1e12;
constexpr double kMaxPixelScale = 1e6;

enum class Loader { kIdx, kCsv, kNpz, kImages, kText, kNifti };
struct LoaderName {
  Loader loader;
  std::string_view name;
};
constexpr std::array<LoaderName, 6> kLoaders = {{{Loader::kIdx, "IdxDataLoader"},
                                                 {Loader::kCsv, "CsvDataLoader"},
                                                 {Loader::kNpz, "NpzDataLoader"},
                                                 {Loader::kImages, "ImageFolderDataLoader"},
                                                 {Loader::kText, "TextDataLoader"},
                                                 {Loader::kNifti, "NiftiDataLoader"}}};

template <typename Enum>
void PickEnum(MappingReader& reader, std::string_view key,
              std::initializer_list<std::pair<std::string_view, Enum>> words, Enum& value) {
  std::vector<Choice> choices;
  for (const auto& [word, meaning] : words) choices.push_back({word, static_cast<int>(meaning)});
  int picked = static_cast<int>(value);
  reader.Pick(key, choices, picked);
  value = static_cast<Enum>(picked);
}

void PickSplit(MappingReader& reader, std::string_view key, SplitType& type) {
  PickEnum(reader, key,
           {{"round_robin", SplitType::kRoundRobin},
            {"contiguous", SplitType::kContiguous},
            {"random", SplitType::kRandom},
            {"dirichlet", SplitType::kDirichlet},
            {"pathological", SplitType::kPathological},
            {"overlapping", SplitType::kOverlapping}},
           type);
}

// A word, or a mapping with the word as its type.
void ReadSplit(MappingReader& settings, Complaints& complaints, SplitSpec& out) {
  const YamlRef found = settings.Get("split");
  if (!found || !found->is_mapping()) return PickSplit(settings, "split", out.type);
  MappingReader split(found, settings.PathOf("split"), complaints);
  split.Require("type", "round_robin, contiguous, random, dirichlet, pathological or overlapping");
  PickSplit(split, "type", out.type);
  if (out.type == SplitType::kDirichlet) split.Real("alpha", out.alpha, 1e-4, 1e6);
  if (out.type == SplitType::kPathological)
    split.Integer("shards_per_site", out.shards_per_site, 1, 1000);
  if (out.type == SplitType::kOverlapping) split.Real("share", out.share, 0, 1);
  auto seed = static_cast<std::int64_t>(out.seed);
  split.Integer("seed", seed, 0, INT64_MAX);
  out.seed = static_cast<std::uint64_t>(seed);
  split.Finish();
}

bool IsList(const YamlRef& value) {
  return value && value->is_sequence();
}

// The numbers of a list, each checked; empty after a complaint.
std::vector<double> ReadReals(MappingReader& reader, std::string_view key, double low, Open open,
                              Complaints& complaints) {
  std::vector<double> values;
  const YamlRef list = reader.Get(key);
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const std::string path = format("{}[{}]", reader.PathOf(key), i);
    if (!ReadReal(*list->items[i], path, low, kMaxPixelScale, open, complaints,
                  values.emplace_back())) {
      return {};
    }
  }
  return values;
}

void NotePixelScale(MappingReader& s) {
  constexpr std::string_view kList = "a list, a number for each channel";
  s.Note("mean",
         {.kind = kList, .numbers = RealNumbers(-kMaxPixelScale, kMaxPixelScale, Open::kNone)});
  s.Note("std", {.kind = kList, .numbers = RealNumbers(0, kMaxPixelScale, Open::kLow)});
}

// Two numbers, or two lists with one a channel.
void ReadPixelScale(MappingReader& s, Complaints& complaints, DataLoaderSettings& out) {
  if (!IsList(s.Get("mean")) && !IsList(s.Get("std"))) {
    s.Real("mean", out.mean, -kMaxPixelScale, kMaxPixelScale);
    s.Real("std", out.std, 0, kMaxPixelScale, Open::kLow);
    return NotePixelScale(s);
  }
  if (!IsList(s.Get("mean")) || !IsList(s.Get("std"))) {
    return s.Complain("mean", "and std must both be lists, a number for each channel, or neither");
  }
  const std::vector<double> means = ReadReals(s, "mean", -kMaxPixelScale, Open::kNone, complaints);
  const std::vector<double> stds = ReadReals(s, "std", 0, Open::kLow, complaints);
  if (means.empty() || stds.empty()) return;
  if (means.size() != stds.size()) {
    return s.Complain("std", format("has {} numbers and mean {}; expected one a channel in each",
                                    stds.size(), means.size()));
  }
  for (std::size_t c = 0; c < means.size(); ++c)
    out.channels.push_back({.mean = means[c], .std = stds[c]});
}

void ReadSize(MappingReader& s, std::string_view key, Complaints& complaints,
              std::array<std::int64_t, 2>& out) {
  const YamlRef found = s.Get(key);
  s.Note(key, {.kind = "[height, width]", .numbers = WholeNumbers(1, kMaxPixels), .list = true});
  if (!found) return;
  if (!found->is_sequence() || found->items.size() != 2) {
    return s.Complain(key, format("is {}, expected [height, width]", Describe(*found)));
  }
  for (std::size_t i = 0; i < 2; ++i) {
    ReadInteger(*found->items[i], format("{}[{}]", s.PathOf(key), i), 1, kMaxPixels, complaints,
                out[i]);
  }
}

void ReadAugment(MappingReader& settings, Complaints& complaints, AugmentSpec& out) {
  const YamlRef found = settings.Get("augment");
  if (!found) return;
  MappingReader augment(found, settings.PathOf("augment"), complaints);
  PickEnum(augment, "flip",
           {{"none", Flip::kNone},
            {"horizontal", Flip::kHorizontal},
            {"vertical", Flip::kVertical},
            {"both", Flip::kBoth}},
           out.flip);
  augment.Integer("crop_padding", out.crop_padding, 0, kMaxPixels);
  augment.Real("rotate", out.rotate, 0, 180);
  augment.Finish();
}

void ReadClasses(MappingReader& s, std::vector<std::string>& classes) {
  s.Texts("classes", classes);
  if (std::set<std::string>(classes.begin(), classes.end()).size() != classes.size())
    s.Complain("classes", "has the same word twice");
}

void ReadValidationShare(MappingReader& s, DataLoaderSettings& out) {
  s.Real("validation_share", out.validation_share, 0, 0.9, Open::kLow);
}

// {sex: [female, male]}
void ReadCategorical(MappingReader& s, Complaints& complaints, TableSpec& out) {
  const YamlRef found = s.Get("categorical");
  if (!found) return;
  MappingReader columns(found, s.PathOf("categorical"), complaints);
  for (const YamlEntry& entry : columns.value().entries) {
    const std::string& column = KeyText(*entry.key);
    std::vector<std::string>& words = out.categorical[column];
    columns.Texts(column, words);
    if (words.empty()) columns.Complain(column, "is empty, expected the column's words: [a, b]");
    if (std::set<std::string>(words.begin(), words.end()).size() != words.size())
      columns.Complain(column, "has the same word twice");
  }
}

// {age: {mean: 52, std: 11}}
void ReadColumnScales(MappingReader& s, Complaints& complaints, TableSpec& out) {
  const YamlRef found = s.Get("normalise");
  if (!found) return;
  MappingReader columns(found, s.PathOf("normalise"), complaints);
  for (const YamlEntry& entry : columns.value().entries) {
    const std::string& column = KeyText(*entry.key);
    MappingReader scale(columns.Get(column), columns.PathOf(column), complaints);
    Normalisation& normalisation = out.normalise[column];
    scale.Require("mean", "a number");
    scale.Real("mean", normalisation.mean, -kMaxValue, kMaxValue);
    scale.Require("std", "a number more than 0");
    scale.Real("std", normalisation.std, 0, kMaxValue, Open::kLow);
    scale.Finish();
  }
}

void ReadSeparator(MappingReader& s, char& separator) {
  std::string text(1, separator);
  s.Text("separator", text);
  s.Note("separator", {.kind = "a character"});
  if (text.size() == 1 && text != "\"" && text != "\n") {
    separator = text[0];
  } else {
    s.Complain("separator", "must be one character, such as \",\", \";\" or \"\\t\"");
  }
}

void ReadTable(MappingReader& s, Complaints& complaints, DataLoaderSettings& out) {
  TableSpec& table = out.table;
  s.Require("label", "the column with what is to be predicted");
  s.Text("label", table.label);
  PickEnum(s, "task",
           {{"classification", DataTask::kClassification},
            {"binary", DataTask::kBinary},
            {"regression", DataTask::kRegression}},
           out.task);
  ReadClasses(s, out.classes);
  if (out.task == DataTask::kRegression && !out.classes.empty())
    s.Complain("classes", "has no meaning with task: regression; remove it");
  if (out.task == DataTask::kBinary && !out.classes.empty() && out.classes.size() != 2)
    s.Complain("classes",
               format("has {} words, expected 2: [negative, positive]", out.classes.size()));
  s.Texts("features", table.features);
  ReadCategorical(s, complaints, table);
  ReadColumnScales(s, complaints, table);
  int standardise = 0;
  s.Pick("standardise", {{"none", 0}, {"site", 1}}, standardise);
  table.standardise = standardise == 1;
  PickEnum(s, "missing",
           {{"refuse", MissingValue::kRefuse},
            {"mean", MissingValue::kMean},
            {"zero", MissingValue::kZero}},
           table.missing);
  ReadSeparator(s, table.separator);
  ReadValidationShare(s, out);
}

void ReadImages(MappingReader& s, Complaints& complaints, DataLoaderSettings& out) {
  PickEnum(
      s, "task",
      {{"classification", DataTask::kClassification}, {"segmentation", DataTask::kSegmentation}},
      out.task);
  if (out.task == DataTask::kClassification) {
    s.Require("classes", "the names of the class folders, in the order of the network's outputs");
    ReadClasses(s, out.classes);
  }
  s.Integer("channels", out.image.channels, 1, 3);
  if (out.image.channels == 2) s.Complain("channels", "is 2, expected 1 (grey) or 3 (colour)");
  ReadSize(s, "resize", complaints, out.image.size);
  ReadPixelScale(s, complaints, out);
  const auto lists = static_cast<std::int64_t>(out.channels.size());
  if (lists != 0 && lists != out.image.channels) {
    s.Complain("mean", format("has {} numbers for {} channels", lists, out.image.channels));
    out.channels.clear();
  }
  ReadValidationShare(s, out);
  ReadAugment(s, complaints, out.augment);
}

std::string PrintableAscii() {
  std::string alphabet = "\n";
  for (char c = ' '; c <= '~'; ++c) alphabet += c;
  return alphabet;
}

void ReadTextData(MappingReader& s, DataLoaderSettings& out) {
  out.text.alphabet = PrintableAscii();
  s.Text("alphabet", out.text.alphabet);
  const std::string& alphabet = out.text.alphabet;
  if (alphabet.size() > kMaxAlphabet ||
      std::set<char>(alphabet.begin(), alphabet.end()).size() != alphabet.size()) {
    s.Complain("alphabet", "must be at most 255 bytes, each once");
  }
  s.Integer("sequence_length", out.text.sequence_length, 1, 100'000);
  PickEnum(s, "split_by", {{"line", TextUnit::kLine}, {"file", TextUnit::kFile}}, out.text.unit);
  ReadValidationShare(s, out);
}

void ReadVolumes(MappingReader& s, Complaints& complaints, DataLoaderSettings& out) {
  out.task = DataTask::kSegmentation;
  s.Integer("axis", out.volume.axis, 0, 2);
  int label = 0;
  s.Pick("label", {{"nonzero", 0}, {"volume", 1}}, label);
  out.volume.label_nonzero = label == 0;
  int standardise = 0;
  s.Pick("standardise", {{"none", 0}, {"volume", 1}}, standardise);
  out.volume.standardise = standardise == 1;
  s.Real("mean", out.mean, -kMaxValue, kMaxValue);
  s.Real("std", out.std, 0, kMaxValue, Open::kLow);
  ReadSize(s, "size", complaints, out.image.size);
  s.Bool("skip_empty", out.volume.skip_empty);
  ReadValidationShare(s, out);
  ReadAugment(s, complaints, out.augment);
}

void ReadLoader(Loader loader, MappingReader& s, Complaints& complaints, DataLoaderSettings& out) {
  switch (loader) {
    case Loader::kIdx:
    case Loader::kNpz:
      ReadPixelScale(s, complaints, out);
      return ReadAugment(s, complaints, out.augment);
    case Loader::kCsv:
      return ReadTable(s, complaints, out);
    case Loader::kImages:
      return ReadImages(s, complaints, out);
    case Loader::kText:
      return ReadTextData(s, out);
    case Loader::kNifti:
      return ReadVolumes(s, complaints, out);
  }
}

}  // namespace

void ReadDataLoader(const YamlValue& plan, Complaints& complaints, DataLoaderSettings& out,
                    std::vector<PythonPart>& python) {
  SectionReader section(plan, "data_loader", SectionReader::Need::kRequired, complaints);
  std::vector<Choice> choices;
  for (const LoaderName& entry : kLoaders)
    choices.push_back({entry.name, static_cast<int>(entry.loader)});
  if (const std::string found = section.PythonClass(choices); !found.empty()) {
    python.push_back(PythonPartOf("data_loader", found));
    return section.FinishUnjudged();
  }
  int picked = static_cast<int>(Loader::kIdx);
  section.Template(choices, picked);
  out.type = kLoaders[static_cast<std::size_t>(picked)].name;
  MappingReader& s = section.settings();
  s.Text("dataset", out.dataset);
  s.Integer("batch_size", out.batch_size, 1, 1'000'000);
  s.Integer("collaborator_count", out.collaborator_count, 1, 1'000'000);
  ReadSplit(s, complaints, out.split);
  ReadLoader(static_cast<Loader>(picked), s, complaints, out);
  section.Finish();
}

}  // namespace fx
