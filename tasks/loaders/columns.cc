#include "tasks/loaders/columns.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "core/base/format.h"
#include "core/base/nearest.h"

namespace fx {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr std::int64_t kMaxClass = 1'000'000;

bool IsMissing(std::string_view cell) {
  constexpr std::array<std::string_view, 8> kWords = {"",    "NA",   "N/A",  "NaN",
                                                      "nan", "null", "NULL", "?"};
  return std::ranges::find(kWords, cell) != kWords.end();
}

Result<std::size_t> Find(const Path& path, const std::vector<std::string>& header,
                         const std::string& name) {
  const auto found = std::ranges::find(header, name);
  if (found != header.end()) return static_cast<std::size_t>(found - header.begin());
  const std::string near = NearestName(name, header);
  Error error(ErrorCode::kInvalidArgument,
              format("{}: there is no column {}, which the plan names", path.string(), name));
  return Fail(near.empty() ? std::move(error)
                           : std::move(error).Hint(format("did you mean {}?", near)));
}

// One row while it is read, for what errors have to say.
struct Place {
  const Path& path;
  const CsvRow& row;
  const std::string& column;

  Error Refuse(const std::string& what) const {
    return {ErrorCode::kInvalidArgument,
            format("{}:{}: column {} {}", path.string(), row.line, column, what)};
  }
};

Result<double> ParseNumber(const Place& place, const std::string& cell) {
  double value = 0;
  std::string_view text = cell;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  const bool fits = std::abs(value) <= std::numeric_limits<float>::max();  // false for NaN
  if (whole && fits) return value;
  Error refusal = place.Refuse(format("is \"{}\", expected a number", cell));
  if (cell.find(',') == std::string::npos) return Fail(std::move(refusal));
  return Fail(std::move(refusal).Hint("write decimals with a point"));
}

Result<float> ParseMissing(const DataLoaderSettings& settings, const Place& place,
                           const Column& column) {
  switch (settings.table.missing) {
    case MissingValue::kZero:
      return 0.0F;
    case MissingValue::kMean:
      if (column.normalised || settings.table.standardise) return kMissing;
      return Fail(place.Refuse("is missing, and the plan gives no mean for it")
                      .Hint("add the column to data_loader.settings.normalise"));
    case MissingValue::kRefuse:
      break;
  }
  return Fail(place.Refuse("is missing")
                  .Hint("data_loader.settings.missing says what becomes of missing values"));
}

Status AppendWord(const Place& place, const Column& column, const std::string& cell,
                  std::vector<float>& values) {
  const auto found = std::ranges::find(column.words, cell);
  if (found == column.words.end() && !IsMissing(cell)) {
    return Fail(place.Refuse(format("is \"{}\", which is not among its words in the plan", cell))
                    .Hint("data_loader.settings.categorical lists them, the same for all sites"));
  }
  for (auto word = column.words.begin(); word != column.words.end(); ++word)
    values.push_back(word == found ? 1.0F : 0.0F);
  return Ok();
}

Status AppendInputs(const DataLoaderSettings& settings, const Place& place, const Column& column,
                    const std::string& cell, std::vector<float>& values) {
  const bool listed = std::ranges::find(column.words, cell) != column.words.end();
  if (IsMissing(cell) && !listed) {
    const bool refused = settings.table.missing == MissingValue::kRefuse;
    if (column.words.empty() || refused) {
      values.push_back(TRY(ParseMissing(settings, place, column)));
      return Ok();
    }
  }
  if (!column.words.empty()) return AppendWord(place, column, cell, values);
  values.push_back(static_cast<float>(TRY(ParseNumber(place, cell))));
  return Ok();
}

Result<std::int64_t> ParseClass(const DataLoaderSettings& settings, const Place& place,
                                const std::string& cell) {
  if (!settings.classes.empty()) {
    const auto found = std::ranges::find(settings.classes, cell);
    if (found != settings.classes.end()) return found - settings.classes.begin();
    return Fail(place.Refuse(format("is \"{}\", which is not among the plan's classes", cell)));
  }
  const std::int64_t highest = settings.task == DataTask::kBinary ? 1 : kMaxClass;
  const double value = TRY(ParseNumber(place, cell));
  if (value >= 0 && value <= static_cast<double>(highest) && value == std::floor(value))
    return static_cast<std::int64_t>(value);
  return Fail(place.Refuse(format("is {}, expected a class from 0 to {}", cell, highest))
                  .Hint("words are listed in data_loader.settings.classes"));
}

Status AppendTarget(const DataLoaderSettings& settings, const Place& place, const std::string& cell,
                    Samples& out) {
  if (IsMissing(cell) && std::ranges::find(settings.classes, cell) == settings.classes.end())
    return Fail(place.Refuse("is missing; a row without a label is of no use"));
  if (settings.task == DataTask::kRegression) {
    out.targets.push_back(static_cast<float>(TRY(ParseNumber(place, cell))));
    return Ok();
  }
  const std::int64_t label = TRY(ParseClass(settings, place, cell));
  out.targets.push_back(static_cast<float>(label));
  out.labels.push_back(static_cast<std::int32_t>(label));
  return Ok();
}

std::vector<std::string> FeatureNames(const TableSpec& table,
                                      const std::vector<std::string>& header) {
  if (!table.features.empty()) return table.features;
  std::vector<std::string> names = header;
  std::erase(names, table.label);
  std::ranges::sort(names);
  return names;
}

// Mean and deviation of every `width`-th value from `at`, leaving out what is missing.
Normalisation Measure(const std::vector<float>& values, std::size_t at, std::size_t width) {
  double sum = 0, squares = 0, count = 0;
  for (std::size_t i = at; i < values.size(); i += width) {
    if (std::isnan(values[i])) continue;
    sum += values[i];
    ++count;
  }
  const double mean = count > 0 ? sum / count : 0;
  for (std::size_t i = at; i < values.size(); i += width)
    if (!std::isnan(values[i])) squares += (values[i] - mean) * (values[i] - mean);
  const double deviation = count > 0 ? std::sqrt(squares / count) : 0;
  return {.mean = mean, .std = deviation > 0 ? deviation : 1};
}

void Apply(const Normalisation& scale, std::vector<float>& values, std::size_t at,
           std::size_t width) {
  for (std::size_t i = at; i < values.size(); i += width) {
    const double value = values[i];
    values[i] = std::isnan(value) ? 0.0F : static_cast<float>((value - scale.mean) / scale.std);
  }
}

}  // namespace

Result<std::vector<Column>> PlanColumns(const DataLoaderSettings& settings, const Path& path,
                                        const std::vector<std::string>& header) {
  const TableSpec& table = settings.table;
  TRY(Find(path, header, table.label));
  for (const auto& [name, words] : table.categorical) TRY(Find(path, header, name));
  for (const auto& [name, scale] : table.normalise) TRY(Find(path, header, name));
  std::vector<Column> columns;
  for (const std::string& name : FeatureNames(table, header)) {
    TRY(Find(path, header, name));
    if (name == table.label) {
      return Fail(ErrorCode::kInvalidArgument,
                  format("data_loader.settings.features has {}, which is the label", name));
    }
    Column column;
    column.name = name;
    if (const auto words = table.categorical.find(name); words != table.categorical.end())
      column.words = words->second;
    if (const auto scale = table.normalise.find(name); scale != table.normalise.end()) {
      column.normalised = true;
      column.scale = scale->second;
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

Result<Samples> Encode(const DataLoaderSettings& settings, const Path& path, const CsvTable& table,
                       const std::vector<Column>& columns) {
  std::vector<std::size_t> at;
  std::size_t width = 0;
  for (const Column& column : columns) {
    at.push_back(TRY(Find(path, table.header, column.name)));
    width += column.words.empty() ? 1 : column.words.size();
  }
  const std::size_t label = TRY(Find(path, table.header, settings.table.label));
  Samples out{.shape = {static_cast<std::int64_t>(width)}, .size = table.rows.size()};
  if (settings.task != DataTask::kClassification) out.target_shape = {1};
  for (const CsvRow& row : table.rows) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      TRY(AppendInputs(settings, {path, row, columns[c].name}, columns[c], row.cells[at[c]],
                       out.values));
    }
    TRY(AppendTarget(settings, {path, row, settings.table.label}, row.cells[label], out));
  }
  return out;
}

void Normalise(const DataLoaderSettings& settings, std::vector<Column> columns, Parts& parts) {
  const auto width = static_cast<std::size_t>(NumElements(parts.train.shape));
  std::size_t at = 0;
  for (Column& column : columns) {
    if (!column.words.empty()) {
      at += column.words.size();
      continue;
    }
    if (!column.normalised && settings.table.standardise)
      column.scale = Measure(parts.train.values, at, width);
    Apply(column.scale, parts.train.values, at, width);
    Apply(column.scale, parts.validation.values, at, width);
    ++at;
  }
}

}  // namespace fx
