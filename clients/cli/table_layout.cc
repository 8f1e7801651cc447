#include "clients/cli/table_layout.h"

#include <algorithm>
#include <numeric>

namespace schakel::cli {
namespace {

// Longer than an id, a time or a name of a code.
constexpr size_t kLongWord = 40;

size_t PlacesOfByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if ((byte & 0xc0) == 0x80) return 0;  // goes on with a letter
  return byte < 0x20 || byte == 0x7f ? 4 : 1;
}

std::vector<std::string> WordsOf(const std::string& text) {
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// The beginning of a word that has at most `width` places, and at least one letter.
std::string Head(const std::string& word, size_t width) {
  size_t places = 0;
  size_t end = 0;
  while (end < word.size()) {
    places += PlacesOfByte(word[end]);
    if (places > width && end > 0) break;
    ++end;
  }
  return word.substr(0, end);
}

size_t LongestWord(const std::string& text) {
  size_t longest = 1;
  for (const auto& word : WordsOf(text)) {
    longest = std::max(longest, std::min(PlacesOf(word), kLongWord));
  }
  return longest;
}

}  // namespace

size_t PlacesOf(const std::string& text) {
  return std::accumulate(text.begin(), text.end(), size_t{0},
                         [](size_t sum, char c) { return sum + PlacesOfByte(c); });
}

std::vector<std::string> WrapText(const std::string& text, size_t width) {
  if (PlacesOf(text) <= width) return {text};
  std::vector<std::string> lines(1);
  for (std::string word : WordsOf(text)) {
    const size_t used = PlacesOf(lines.back());
    if (used > 0 && used + 1 + PlacesOf(word) <= width) {
      lines.back() += " " + word;
      continue;
    }
    if (used > 0) lines.emplace_back();
    while (PlacesOf(word) > width) {
      const std::string head = Head(word, width);
      lines.back() = head;
      lines.emplace_back();
      word.erase(0, head.size());
    }
    lines.back() = word;
  }
  if (lines.size() > 1 && lines.back().empty()) lines.pop_back();
  return lines;
}

std::vector<size_t> FitColumns(const std::vector<std::vector<std::string>>& rows, size_t columns) {
  if (rows.empty()) return {};
  const size_t count = rows.front().size();
  std::vector<size_t> widths(count, 1);
  std::vector<size_t> least(count, 1);
  for (const auto& row : rows) {
    for (size_t i = 0; i < count; ++i) {
      widths[i] = std::max(widths[i], PlacesOf(row[i]));
      least[i] = std::max(least[i], LongestWord(row[i]));
    }
  }
  const auto total = [&] {
    return std::accumulate(widths.begin(), widths.end(), (count - 1) * kColumnGap);
  };
  while (total() > columns) {
    size_t widest = count;
    for (size_t i = 0; i < count; ++i) {
      if (widths[i] > least[i] && (widest == count || widths[i] > widths[widest])) widest = i;
    }
    if (widest == count) return {};
    --widths[widest];
  }
  return widths;
}

}  // namespace schakel::cli
