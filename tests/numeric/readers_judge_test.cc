// The readers of pictures and volumes against those of other libraries: Pillow (picture_judge.py)
// and nibabel (nifti_judge.py), where they are installed.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/base/format.h"
#include "tasks/loaders/image_file.h"
#include "tasks/loaders/nifti_file.h"
#include "tests/support/must.h"
#include "tests/support/run_command.h"

namespace fx::test {
namespace {

using nlohmann::json;

// What a judge wrote: files, and what it read in them.
class Judged {
 public:
  explicit Judged(const char* judge) {
    const Ran ran = RunCommand(format("/usr/bin/python3 -B {}/tests/numeric/{} {}", FX_SOURCE_DIR,
                                      judge, folder_.path().string()));
    EXPECT_EQ(ran.exit_code, 0) << ran.output;
    if (ran.exit_code != 0) return;
    answers_ = json::parse(Must(ReadFile(folder_.path() / "answers.json", 1U << 20)));
    values_ = Must(ReadFile(folder_.path() / "answers.bin", 1U << 30));
  }

  const json& answers() const { return answers_; }
  Path PathOf(const json& answer) const {
    return folder_.path() / answer["file"].get<std::string>();
  }

  // The next values, which are in the order of answers.
  template <typename T>
  std::vector<T> Next(std::size_t count) {
    FX_CHECK((count * sizeof(T)) <= values_.size() - at_);
    std::vector<T> values(count);
    std::memcpy(values.data(), values_.data() + at_, count * sizeof(T));
    at_ += count * sizeof(T);
    return values;
  }
  bool at_end() const { return at_ == values_.size(); }

 private:
  TempDir folder_;
  json answers_ = json::array();
  std::string values_;
  std::size_t at_ = 0;
};

bool HasModule(const char* name) {
  return RunCommand(format("/usr/bin/python3 -B -c 'import numpy, {}'", name)).exit_code == 0;
}

struct Difference {
  int largest = 0;
  double mean = 0;
};

Difference Compare(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  Difference difference;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const int distance = std::abs(int{a[i]} - int{b[i]});
    difference.largest = std::max(difference.largest, distance);
    difference.mean += distance;
  }
  difference.mean /= static_cast<double>(a.size());
  return difference;
}

// Decoders of JPEG may round as they like, and fill in colours between samples as they like, which
// shows at edges of colour.
void ExpectSamePicture(const json& answer, const Picture& ours,
                       const std::vector<std::uint8_t>& theirs) {
  ASSERT_EQ(ours.height, answer["height"]);
  ASSERT_EQ(ours.width, answer["width"]);
  ASSERT_EQ(ours.pixels.size(), theirs.size());
  const Difference difference = Compare(ours.pixels, theirs);
  if (answer["exact"]) {
    EXPECT_EQ(difference.largest, 0);
    return;
  }
  EXPECT_LE(difference.mean, 1.0);
  EXPECT_LE(difference.largest, 32);
}

// ITU-R BT.601's weights of red, green and blue; both round.
void ExpectLuminance(const Picture& grey, const Picture& colours) {
  const std::size_t plane = grey.pixels.size();
  for (std::size_t i = 0; i < plane; ++i) {
    const double luminance = 0.299 * colours.pixels[i] + 0.587 * colours.pixels[plane + i] +
                             0.114 * colours.pixels[2 * plane + i];
    ASSERT_NEAR(grey.pixels[i], luminance, 1.5) << "pixel " << i;
  }
}

TEST(Pillow, SeesWhatWeSeeInPictures) {
  if (!HasModule("PIL")) GTEST_SKIP() << "Pillow is the judge: apt install python3-pil";
  Judged judged("picture_judge.py");
  for (const json& answer : judged.answers()) {
    const Path path = judged.PathOf(answer);
    SCOPED_TRACE(path.filename());
    const std::size_t plane =
        answer["height"].get<std::size_t>() * answer["width"].get<std::size_t>();
    const auto theirs = judged.Next<std::uint8_t>(3 * plane);
    EXPECT_TRUE(IsPictureName(path));
    const Picture colours = Must(ReadPicture(path, 3));
    ExpectSamePicture(answer, colours, theirs);
    if (answer["exact"]) ExpectLuminance(Must(ReadPicture(path, 1)), colours);
  }
  EXPECT_GT(judged.answers().size(), 100U);
  EXPECT_TRUE(judged.at_end());
}

TEST(Pillow, WritesNothingThatWeReadWhenItsEndIsMissing) {
  if (!HasModule("PIL")) GTEST_SKIP() << "Pillow is the judge: apt install python3-pil";
  const Judged judged("picture_judge.py");
  const TempDir folder;
  for (const json& answer : judged.answers()) {
    const std::string whole = Must(ReadFile(judged.PathOf(answer), 1U << 26));
    for (const std::size_t missing : {std::size_t{1}, whole.size() / 3}) {
      const Path path = folder.path() / "cut";
      Must(AtomicWrite(path, whole.substr(0, whole.size() - missing)));
      const auto read = ReadPicture(path, 3);
      EXPECT_FALSE(read.has_value()) << answer["file"] << " without " << missing << " bytes";
    }
  }
}

std::array<std::int64_t, 3> ExtentsOf(const json& shape) {
  std::array<std::int64_t, 3> extents = {1, 1, 1};
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (axis < 3) extents[axis] = shape[axis];
  }
  return extents;
}

TEST(Nibabel, SeesWhatWeSeeInVolumes) {
  if (!HasModule("nibabel")) GTEST_SKIP() << "nibabel is the judge: apt install python3-nibabel";
  Judged judged("nifti_judge.py");
  for (const json& answer : judged.answers()) {
    const Path path = judged.PathOf(answer);
    SCOPED_TRACE(path.filename());
    const Volume ours = Must(ReadVolume(path));
    EXPECT_EQ(ours.extents, ExtentsOf(answer["shape"]));
    const auto theirs = judged.Next<double>(ours.values.size());
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      ASSERT_NEAR(ours.values[i], theirs[i], 1e-6 * std::max(1.0, std::abs(theirs[i])))
          << "value " << i;
    }
  }
  EXPECT_GE(judged.answers().size(), 40U);
  EXPECT_TRUE(judged.at_end());
}

}  // namespace
}  // namespace fx::test
