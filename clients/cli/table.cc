#include "clients/cli/table.h"

#include <libsmartcols.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "broker/base/check.h"

namespace schakel::cli {
namespace {

// Longer than a UUID, a time or a name of a code.
constexpr size_t kLongCell = 40;

// Of UTF-8: bytes that do not continue a letter.
size_t Letters(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

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

}  // namespace

void Table::Add(std::vector<Cell> row) {
  SCHAKEL_CHECK(row.size() == headers_.size(), "a row has as many cells as there are headers");
  rows_.push_back(std::move(row));
}

std::string Table::Render(int columns, bool colour) const {
  const std::unique_ptr<libscols_table, Unref> table(scols_new_table());
  SCHAKEL_CHECK(table != nullptr, "libsmartcols gives a table");
  scols_table_set_termforce(table.get(),
                            columns > 0 ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
  if (columns > 0) scols_table_set_termwidth(table.get(), static_cast<size_t>(columns));
  scols_table_enable_colors(table.get(), colour && columns > 0 ? 1 : 0);
  scols_table_set_column_separator(table.get(), "  ");
  for (size_t i = 0; i < headers_.size(); ++i) {
    // Short columns keep their width; only a long one is wrapped, so that ids stay in one piece.
    size_t longest = Letters(headers_[i]);
    for (const auto& row : rows_) longest = std::max(longest, Letters(row[i].text));
    const bool wraps = columns > 0 && longest > kLongCell;
    scols_table_new_column(
        table.get(), headers_[i].c_str(),
        wraps || columns == 0 ? 0.1 : static_cast<double>(std::max<size_t>(longest, 1)),
        wraps ? SCOLS_FL_WRAP : 0);
  }
  for (const auto& row : rows_) {
    libscols_line* const line = scols_table_new_line(table.get(), nullptr);
    SCHAKEL_CHECK(line != nullptr, "libsmartcols gives a line");
    for (size_t i = 0; i < row.size(); ++i) {
      scols_line_set_data(line, i, row[i].text.c_str());
      if (const char* name = ColourName(row[i].colour)) {
        scols_cell_set_color(scols_line_get_cell(line, i), name);
      }
    }
  }
  if (rows_.empty()) {
    std::string line;
    for (const auto& header : headers_) line += (line.empty() ? "" : "  ") + header;
    return line + "\n";
  }
  char* text = nullptr;
  const int failed = scols_print_table_to_string(table.get(), &text);
  const std::unique_ptr<char, void (*)(void*)> owner(text, std::free);
  SCHAKEL_CHECK(failed == 0 && text != nullptr, "libsmartcols prints into memory");
  std::string out = text;
  if (!out.ends_with('\n')) out += '\n';
  return out;
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
