// Where the columns of a table stand, and where the lines of a cell break.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace schakel::cli {

// Between two columns.
inline constexpr size_t kColumnGap = 2;

// How many places UTF-8 takes on a screen; a control character is shown as \x.. and takes four.
size_t PlacesOf(const std::string& text);

// The text on lines of at most `width` places (1 at least), broken at spaces; a word that is longer
// than a line is cut. At least one line.
std::vector<std::string> WrapText(const std::string& text, size_t width);

// Widths of the columns, so that each line has `columns` places at most: the widest give way first,
// and none becomes narrower than its longest word, so that ids and codes stay in one piece (words
// of more than 40 places may be cut). `rows` hold the headers too. Empty when that can't be.
std::vector<size_t> FitColumns(const std::vector<std::vector<std::string>>& rows, size_t columns);

}  // namespace schakel::cli
