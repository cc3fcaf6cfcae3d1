// Which names a plan may give for a data loader, and what makes each: a table written by hand.
#include <array>
#include <string_view>

#include "core/base/format.h"
#include "tasks/data_loader.h"
#include "tasks/loaders/csv.h"
#include "tasks/loaders/idx.h"
#include "tasks/loaders/image_folder.h"
#include "tasks/loaders/nifti.h"
#include "tasks/loaders/npz.h"
#include "tasks/loaders/text.h"

namespace fx {
namespace {

using LoaderFactory = Result<std::unique_ptr<DataLoader>> (*)(const DataLoaderSettings&,
                                                              const std::string&);
struct Entry {
  std::string_view type;
  LoaderFactory make;
};
constexpr std::array kLoaders = {
    Entry{.type = "CsvDataLoader", .make = MakeCsvDataLoader},
    Entry{.type = "IdxDataLoader", .make = MakeIdxDataLoader},
    Entry{.type = "ImageFolderDataLoader", .make = MakeImageFolderDataLoader},
    Entry{.type = "NiftiDataLoader", .make = MakeNiftiDataLoader},
    Entry{.type = "NpzDataLoader", .make = MakeNpzDataLoader},
    Entry{.type = "TextDataLoader", .make = MakeTextDataLoader}};

}  // namespace

Result<std::unique_ptr<DataLoader>> MakeDataLoader(const DataLoaderSettings& settings,
                                                   const std::string& data_path) {
  std::string known;
  for (const Entry& entry : kLoaders) {
    if (entry.type == settings.type) {
      return In(entry.make(settings, data_path), "cannot load the data");
    }
    known += format("{}{}", known.empty() ? "" : ", ", entry.type);
  }
  return Fail(ErrorCode::kInvalidArgument,
              format("data_loader.template is {}, expected one of: {}", settings.type, known));
}

}  // namespace fx
