// Tables: what is read is the same when written with every cell in quotes; what a plan makes of it
// is finite numbers, a sample a row.
#include <cmath>
#include <vector>

#include "tasks/loaders/csv.h"
#include "tasks/loaders/csv_file.h"
#include "tests/fuzz/fuzz.h"

namespace fx::fuzz {
namespace {

void AppendRow(const std::vector<std::string>& cells, std::string& text) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    text += i == 0 ? "\"" : ",\"";
    for (const char c : cells[i]) text += c == '"' ? std::string("\"\"") : std::string(1, c);
    text += '"';
  }
  text += '\n';
}

void CheckTable(const CsvTable& table) {
  static InputFile copy("copy.csv");
  std::string text;
  AppendRow(table.header, text);
  for (const CsvRow& row : table.rows) AppendRow(row.cells, text);
  const auto again = ReadCsv(copy.Holding(text), ',');
  FX_CHECK(again.has_value() && again->header == table.header);
  FX_CHECK(again->rows.size() == table.rows.size());
  std::size_t line = 0;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    FX_CHECK(again->rows[i].cells == table.rows[i].cells);
    FX_CHECK(table.rows[i].line > line);
    line = table.rows[i].line;
  }
}

void CheckSamples(const DataSet& data) {
  std::vector<float> sample(static_cast<std::size_t>(NumElements(data.sample_shape())));
  std::vector<float> target(static_cast<std::size_t>(NumElements(data.target_shape())));
  for (std::uint32_t i = 0; i < data.size(); ++i) {
    data.Gather({&i, 1}, sample, target);
    for (const float value : sample) FX_CHECK(std::isfinite(value));
    for (const float value : target) FX_CHECK(std::isfinite(value));
  }
}

}  // namespace

// The first byte is what the plan says, the rest the table.
void Try(std::string_view input) {
  static InputFile file("in.csv");
  if (input.empty()) return;
  const auto plan = static_cast<unsigned char>(input[0]);
  const char separator = (plan & 1U) != 0 ? ';' : ',';
  const auto table = ReadCsv(file.Holding(input.substr(1)), separator);
  if (!table) {
    FX_CHECK(table.error().OneLine().find("in.csv") != std::string::npos);
    return;
  }
  CheckTable(*table);
  DataLoaderSettings settings;
  settings.table.separator = separator;
  settings.table.label = table->header.back();
  settings.table.standardise = (plan & 2U) != 0;
  settings.table.missing = (plan & 4U) != 0 ? MissingValue::kMean : MissingValue::kZero;
  settings.task = (plan & 8U) != 0 ? DataTask::kRegression : DataTask::kClassification;
  if ((plan & 16U) != 0) settings.table.categorical[table->header.front()] = {"a", "b"};
  const auto loader = MakeCsvDataLoader(settings, file.path());
  if (!loader) return;
  CheckSamples((*loader)->train());
  CheckSamples((*loader)->validation());
}

}  // namespace fx::fuzz
