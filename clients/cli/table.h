// Tables for people (libsmartcols), and the same rows as CSV.
#pragma once

#include <string>
#include <vector>

namespace schakel::cli {

enum class Colour { kNone, kGood, kBad, kDim };

struct Cell {
  std::string text;
  Colour colour = Colour::kNone;
  Cell(std::string value, Colour as = Colour::kNone)  // NOLINT(google-explicit-constructor)
      : text(std::move(value)), colour(as) {}
  Cell(const char* value) : text(value) {}  // NOLINT(google-explicit-constructor)
};

class Table {
 public:
  explicit Table(std::vector<std::string> headers) : headers_(std::move(headers)) {}

  // REQUIRES: as many cells as headers
  void Add(std::vector<Cell> row);
  size_t rows() const { return rows_.size(); }

  // Aligned columns, each line ending in a newline; the headers only when there are no rows.
  // `columns`: how wide a line may be. Long cells go on in the lines below; ids and codes stay in
  // one piece, and where they do not fit beside each other each row is a list of its fields. 0: a
  // row is one line, however long, without colour. Control characters come out as \x..: texts may
  // be other organisations'.
  std::string Render(int columns, bool colour) const;
  // For a spreadsheet: RFC 4180 with a header line, and a byte order mark in front, without which
  // Excel takes the text for another encoding. `separator`: what the user's Excel expects, ; in
  // Dutch, whose decimal sign is a comma, and , in English. A cell that a spreadsheet would take
  // for a formula gets an apostrophe in front.
  std::string Csv(char separator) const;

 private:
  std::vector<std::string> headers_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace schakel::cli
