#include "tasks/loaders/csv.h"

#include <utility>
#include <vector>

#include "tasks/loaders/columns.h"
#include "tasks/loaders/csv_file.h"
#include "tasks/loaders/parts.h"

namespace fx {
namespace {

struct LoadedTable {
  std::vector<Column> columns;
  Samples samples;
};

Result<LoadedTable> LoadTable(const DataLoaderSettings& settings, const Path& path) {
  const CsvTable table = TRY(ReadCsv(path, settings.table.separator));
  if (table.rows.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                path.string() + ": there are no rows below the header");
  }
  LoadedTable loaded;
  loaded.columns = TRY(PlanColumns(settings, path, table.header));
  loaded.samples = TRY(Encode(settings, path, table, loaded.columns));
  return loaded;
}

}  // namespace

Result<std::unique_ptr<DataLoader>> MakeCsvDataLoader(const DataLoaderSettings& settings,
                                                      const std::string& data_path) {
  const DataPlace place = TRY(FindData(
      settings, data_path, "tables are a file, or a folder with train.csv and validation.csv"));
  const bool folder = Exists(place.path / "train.csv");
  LoadedTable train = TRY(LoadTable(settings, folder ? place.path / "train.csv" : place.path));
  Parts parts;
  if (folder) {
    parts.train = std::move(train.samples);
    parts.validation = TRY(LoadTable(settings, place.path / "validation.csv")).samples;
  } else {
    parts = TRY(HoldOut(settings, place.path, train.samples));
  }
  Parts mine = TRY(In(TakeShard(settings, place.shard, std::move(parts)), place.path.string()));
  Normalise(settings, train.columns, mine);
  return In(MakeLoader(settings, std::move(mine)), place.path.string());
}

}  // namespace fx
