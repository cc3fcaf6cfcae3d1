// A site's data as the plan describes them: which loader reads them, how values become the numbers
// a network sees, how a data set is cut into shards.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fx {

enum class SplitType { kRoundRobin, kContiguous, kRandom, kDirichlet, kPathological, kOverlapping };

// data_loader.settings.split: which samples of one data set belong to which site; see
// tasks/loaders/split.h.
struct SplitSpec {
  SplitType type = SplitType::kRoundRobin;
  double alpha = 0.5;                // dirichlet: small: few labels a site; large: all alike
  std::int64_t shards_per_site = 2;  // pathological
  double share = 0.1;                // overlapping: of the samples, which every site has
  std::uint64_t seed = 1;            // of these draws, and of validation_share's
};

// What a label is, and with it the shape of a target.
enum class DataTask {
  kClassification,  // a class: {}
  kBinary,          // 0 or 1: {1}
  kRegression,      // a number: {1}
  kSegmentation     // 0 or 1 a pixel: {1, height, width}
};

// A table's cell that is empty.
enum class MissingValue {
  kRefuse,
  kMean,  // the mean its column is normalised with: 0 after that
  kZero   // the value 0, before normalisation
};

// x becomes (x - mean) / std.
struct Normalisation {
  double mean = 0, std = 1;
};

// CsvDataLoader
struct TableSpec {
  std::string label;                  // the column with what is to be predicted
  std::vector<std::string> features;  // in the order of the network's inputs; empty: all others,
                                      // sorted by name, so that sites with other orders agree
  // Columns of words, each with its words in the order of the inputs it becomes (one-hot).
  std::map<std::string, std::vector<std::string>> categorical;
  std::map<std::string, Normalisation> normalise;  // by column
  bool standardise = false;                        // the other columns by the site's own mean, std
  MissingValue missing = MissingValue::kRefuse;
  char separator = ',';
};

// ImageFolderDataLoader, NiftiDataLoader
struct ImageSpec {
  std::int64_t channels = 1;               // 1: grey, 3: red, green, blue
  std::array<std::int64_t, 2> size{0, 0};  // height, width that every image gets; 0: as they are
};

// TextDataLoader
enum class TextUnit { kLine, kFile };
struct TextSpec {
  std::int64_t sequence_length = 80;  // characters a sample
  std::string alphabet;               // character i is number i + 1, all others are 0; set by the
                                      // reader to printable ASCII and the line feed by default
  TextUnit unit = TextUnit::kLine;    // what a split deals out whole
};

// NiftiDataLoader
struct VolumeSpec {
  std::int64_t axis = 2;      // slices are cut across it
  bool standardise = false;   // each volume by its own mean and std, instead of mean and std
  bool label_nonzero = true;  // the foreground is where the volume itself is not 0; else labels/
  bool skip_empty = false;    // leave out slices that are 0 throughout
};

enum class Flip { kNone, kHorizontal, kVertical, kBoth };

// data_loader.settings.augment: what is drawn anew for each image each time it is trained on; see
// tasks/loaders/augment.h.
struct AugmentSpec {
  Flip flip = Flip::kNone;
  std::int64_t crop_padding = 0;  // pixels an image may shift, in each direction
  double rotate = 0;              // degrees, to either side

  bool any() const { return flip != Flip::kNone || crop_padding > 0 || rotate > 0; }
};

// data_loader: which loader, and its settings. `data_path` comes from data.yaml, not from here.
struct DataLoaderSettings {
  std::string type;     // registered name: "IdxDataLoader"
  std::string dataset;  // file or folder of the data set that is cut into shards
  std::int64_t batch_size = 32;
  std::int64_t collaborator_count = 1;    // shards the data set is cut into
  double mean = 0, std = 1;               // pixels / 255, then (x - mean) / std
  std::vector<Normalisation> channels{};  // the same by channel, if the plan gives lists
  SplitSpec split{};
  double validation_share = 0.2;  // held out where a data set has no part for it
  DataTask task = DataTask::kClassification;
  std::vector<std::string> classes{};  // words of labels, from class 0; empty: labels are numbers
  TableSpec table{};
  ImageSpec image{};
  TextSpec text{};
  VolumeSpec volume{};
  AugmentSpec augment{};
};

}  // namespace fx
