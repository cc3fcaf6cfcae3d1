// cols.yaml and data.yaml, which people edit by hand and verbs add lines to: an addition is there
// afterwards, and everything that was there before too.
#include <algorithm>

#include "plan/cols_file.h"
#include "plan/data_file.h"
#include "plan/load.h"
#include "tests/fuzz/fuzz.h"

namespace fx::fuzz {
namespace {

const CollaboratorName kNewcomer = {"newcomer"};

void CheckCols(std::string_view input) {
  static InputFile file("cols.yaml");
  auto before = LoadColsFile(file.Holding(input));
  const auto added = AddCollaboratorToCols(file.path(), kNewcomer);
  if (!before) {
    FX_CHECK(!added);
    return;
  }
  if (!added) return;
  const auto after = LoadColsFile(file.path());
  if (*added) before->push_back(kNewcomer);
  FX_CHECK(after.has_value() && *after == *before);
}

void CheckData(std::string_view input) {
  static InputFile file("data.yaml");
  auto before = LoadDataFile(file.Holding(input));
  if (!SetDataPath(file.path(), "newcomer", "data/7") || !before) return;
  const auto after = LoadDataFile(file.path());
  (*before)["newcomer"] = "data/7";
  FX_CHECK(after.has_value() && *after == *before);
}

}  // namespace

void Try(std::string_view input) {
  CheckCols(input);
  CheckData(input);
}

}  // namespace fx::fuzz
