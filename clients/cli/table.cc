#include "clients/cli/table.h"

#include <libsmartcols.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "broker/base/check.h"
#include "clients/cli/table_layout.h"

namespace schakel::cli {
namespace {

using Line = std::vector<Cell>;

struct Unref {
  void operator()(libscols_table* table) const { scols_unref_table(table); }
};

const char* ColourName(Colour colour) {
  switch (colour) {
    case Colour::kGood:
      return "green";
    case Colour::kBad:
      return "red";
    case Colour::kDim:
      return "darkgray";
    case Colour::kNone:
      break;
  }
  return nullptr;
}

std::string CsvField(const std::string& text) {
  std::string field = text;
  if (!field.empty() && std::string("=+-@\t\r").find(field[0]) != std::string::npos) {
    field.insert(0, "'");
  }
  if (field.find_first_of(",;\"\r\n") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

// A row on as many lines as its longest cell needs.
void AddWrapped(const Line& row, const std::vector<size_t>& widths, std::vector<Line>& lines) {
  std::vector<std::vector<std::string>> parts;
  size_t height = 1;
  for (size_t i = 0; i < row.size(); ++i) {
    parts.push_back(WrapText(row[i].text, widths[i]));
    height = std::max(height, parts.back().size());
  }
  for (size_t at = 0; at < height; ++at) {
    Line line;
    for (size_t i = 0; i < row.size(); ++i) {
      line.emplace_back(at < parts[i].size() ? parts[i][at] : std::string(), row[i].colour);
    }
    lines.push_back(std::move(line));
  }
}

// What no screen of this width has room for beside each other: a field a line, an empty line
// between two rows; fields without a value are left out.
std::vector<Line> Fields(const Line& headers, const std::vector<Line>& rows, size_t columns) {
  size_t name = 1;
  for (const auto& header : headers) name = std::max(name, PlacesOf(header.text));
  const size_t used = name + kColumnGap;
  const size_t room = columns > used + 20 ? columns - used : 20;
  std::vector<Line> lines;
  for (const auto& row : rows) {
    if (!lines.empty()) lines.push_back({"", ""});
    for (size_t i = 0; i < row.size(); ++i) {
      if (!row[i].text.empty()) AddWrapped({headers[i], row[i]}, {name, room}, lines);
    }
  }
  return lines;
}

void EndWithoutBlanks(std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const size_t last = text.find_last_not_of(' ', end == 0 ? 0 : end - 1);
    if (end > at && last != std::string::npos && last >= at) out += text.substr(at, last + 1 - at);
    out += '\n';
    at = end + 1;
  }
  text = std::move(out);
}

// Columns as wide as their longest cell.
std::string Print(const std::vector<Line>& lines, bool colour) {
  if (lines.empty()) return {};
  const std::unique_ptr<libscols_table, Unref> table(scols_new_table());
  SCHAKEL_CHECK(table != nullptr, "libsmartcols gives a table");
  scols_table_set_termforce(table.get(), SCOLS_TERMFORCE_NEVER);
  scols_table_enable_colors(table.get(), colour ? 1 : 0);
  scols_table_enable_noheadings(table.get(), 1);
  scols_table_set_column_separator(table.get(), std::string(kColumnGap, ' ').c_str());
  for (size_t i = 0; i < lines.front().size(); ++i) {
    size_t longest = 1;
    for (const auto& line : lines) longest = std::max(longest, PlacesOf(line[i].text));
    scols_table_new_column(table.get(), nullptr, static_cast<double>(longest), 0);
  }
  for (const auto& cells : lines) {
    libscols_line* const line = scols_table_new_line(table.get(), nullptr);
    SCHAKEL_CHECK(line != nullptr, "libsmartcols gives a line");
    for (size_t i = 0; i < cells.size(); ++i) {
      scols_line_set_data(line, i, cells[i].text.c_str());
      if (const char* name = ColourName(cells[i].colour)) {
        scols_cell_set_color(scols_line_get_cell(line, i), name);
      }
    }
  }
  char* text = nullptr;
  const int failed = scols_print_table_to_string(table.get(), &text);
  const std::unique_ptr<char, void (*)(void*)> owner(text, std::free);
  SCHAKEL_CHECK(failed == 0 && text != nullptr, "libsmartcols prints into memory");
  std::string out = text;
  EndWithoutBlanks(out);
  return out;
}

}  // namespace

void Table::Add(std::vector<Cell> row) {
  SCHAKEL_CHECK(row.size() == headers_.size(), "a row has as many cells as there are headers");
  rows_.push_back(std::move(row));
}

std::string Table::Render(int columns, bool colour) const {
  if (rows_.empty()) {
    std::string line;
    for (const auto& header : headers_) line += (line.empty() ? "" : "  ") + header;
    return line + "\n";
  }
  const Line headers(headers_.begin(), headers_.end());
  std::vector<Line> rows = {headers};
  rows.insert(rows.end(), rows_.begin(), rows_.end());
  if (columns <= 0) return Print(rows, false);
  const auto width = static_cast<size_t>(columns);
  std::vector<std::vector<std::string>> texts;
  for (const auto& row : rows) {
    texts.emplace_back();
    for (const auto& cell : row) texts.back().push_back(cell.text);
  }
  const auto widths = FitColumns(texts, width);
  if (widths.empty()) return Print(Fields(headers, rows_, width), colour);
  std::vector<Line> lines;
  for (const auto& row : rows) AddWrapped(row, widths, lines);
  return Print(lines, colour);
}

std::string Table::Csv(char separator) const {
  std::string out = "\xEF\xBB\xBF";
  for (size_t i = 0; i < headers_.size(); ++i) {
    if (i > 0) out += separator;
    out += CsvField(headers_[i]);
  }
  out += "\r\n";
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += separator;
      out += CsvField(row[i].text);
    }
    out += "\r\n";
  }
  return out;
}

}  // namespace schakel::cli
