// Comma-separated values: rows of cells, as spreadsheets write them.
//
// A cell in double quotes may hold separators, line breaks and, doubled, double quotes; what stands
// unquoted is taken without the blanks around it. Lines end in LF or CR LF. Empty lines are
// skipped, and so is a byte order mark. Source: RFC 4180.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

struct CsvRow {
  std::size_t line = 0;  // where it begins, from 1
  std::vector<std::string> cells;
};

struct CsvTable {
  std::vector<std::string> header;
  std::vector<CsvRow> rows;
};

inline constexpr std::uint64_t kMaxCsvFile = 1ULL << 30;

// Refuses, naming file and line: no header, a column without a name or with that of another, a row
// with more or fewer cells than the header, a quote that is not closed or followed by text, a NUL.
Result<CsvTable> ReadCsv(const Path& path, char separator);

}  // namespace fx
