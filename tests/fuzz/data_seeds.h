// Good inputs for the fuzz targets that read a site's data.
#pragma once

#include <string>
#include <vector>

namespace fx::fuzz {

struct DataSeed {
  std::string target, name, bytes;
};

std::vector<DataSeed> DataSeeds();

}  // namespace fx::fuzz
