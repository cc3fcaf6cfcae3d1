#include "tasks/loaders/csv_file.h"

#include <set>
#include <string_view>
#include <utility>

#include "core/base/format.h"
#include "tasks/loaders/text_file.h"

namespace fx {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Reads rows one after the other.
class CsvReader {
 public:
  CsvReader(const Path& path, std::string_view text, char separator)
      : path_(path), text_(text), separator_(separator) {
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
  }

  // The next row that is not an empty line; without cells at the end.
  Result<CsvRow> Next() {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) TakeLineEnd();
    CsvRow row{.line = line_, .cells = {}};
    while (at_ < text_.size()) {
      row.cells.push_back(TRY(Cell()));
      if (at_ >= text_.size() || text_[at_] != separator_) {
        TakeLineEnd();
        break;
      }
      ++at_;
      if (at_ >= text_.size()) row.cells.emplace_back();  // the file ends after a separator
    }
    return row;
  }

 private:
  Error Broken(const std::string& what) const {
    return {ErrorCode::kInvalidArgument, format("{}:{}: {}", path_.string(), line_, what)};
  }

  bool AtEndOfCell() const {
    return at_ >= text_.size() || text_[at_] == separator_ || text_[at_] == '\n' ||
           text_[at_] == '\r';
  }

  void TakeLineEnd() {
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
  }

  void SkipBlanks() {
    while (!AtEndOfCell() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  Result<std::string> Cell() {
    SkipBlanks();
    if (!AtEndOfCell() && text_[at_] == '"') return QuotedCell();
    const std::size_t begin = at_;
    while (!AtEndOfCell()) ++at_;
    return std::string(Trim(text_.substr(begin, at_ - begin)));
  }

  Result<std::string> QuotedCell() {
    const std::size_t opened = line_;
    std::string cell;
    for (++at_;; ++at_) {
      if (at_ >= text_.size()) {
        return Fail(Broken(format("the file ends inside the quotes opened in line {}", opened)));
      }
      if (text_[at_] == '\n') ++line_;
      if (text_[at_] == '"') {
        ++at_;
        if (at_ >= text_.size() || text_[at_] != '"') break;
      }
      cell += text_[at_];
    }
    SkipBlanks();
    if (AtEndOfCell()) return cell;
    return Fail(Broken("text follows a closing quote; double the quotes inside a cell"));
  }

  const Path& path_;
  std::string_view text_;
  char separator_;
  std::size_t at_ = 0, line_ = 1;
};

Status CheckHeader(const Path& path, const CsvRow& header) {
  if (header.cells.empty()) {
    return Fail(
        ErrorCode::kInvalidArgument,
        format("{}: the file is empty, expected a line with the columns' names", path.string()));
  }
  std::set<std::string> seen;
  for (std::size_t i = 0; i < header.cells.size(); ++i) {
    const std::string& name = header.cells[i];
    if (!name.empty() && seen.insert(name).second) continue;
    return Fail(
        ErrorCode::kInvalidArgument,
        format("{}:{}: column {} {}; each needs a name of its own", path.string(), header.line,
               i + 1, name.empty() ? "has no name" : format("is called {} like another", name)));
  }
  return Ok();
}

}  // namespace

Result<CsvTable> ReadCsv(const Path& path, char separator) {
  const std::string text = TRY(ReadText(path, kMaxCsvFile));
  CsvReader reader(path, text, separator);
  CsvRow header = TRY(reader.Next());
  TRY(CheckHeader(path, header));
  CsvTable table{.header = std::move(header.cells), .rows = {}};
  for (;;) {
    CsvRow row = TRY(reader.Next());
    if (row.cells.empty()) return table;
    if (row.cells.size() != table.header.size()) {
      return Fail(ErrorCode::kInvalidArgument,
                  format("{}:{}: has {} cells, but the header has {}", path.string(), row.line,
                         row.cells.size(), table.header.size()));
    }
    table.rows.push_back(std::move(row));
  }
}

}  // namespace fx
