#include "broker/merkle/text.h"

#include <charconv>

namespace schakel::merkle {
namespace {

// Takes the first code point off `text`; nullopt when it is no valid UTF-8.
std::optional<uint32_t> TakeCodePoint(std::string_view& text) {
  const auto first = static_cast<uint8_t>(text[0]);
  size_t length = 1;
  uint32_t point = first;
  uint32_t smallest = 0;
  if (first >= 0x80) {
    if ((first & 0xe0) == 0xc0) {
      length = 2, point = first & 0x1f, smallest = 0x80;
    } else if ((first & 0xf0) == 0xe0) {
      length = 3, point = first & 0x0f, smallest = 0x800;
    } else if ((first & 0xf8) == 0xf0) {
      length = 4, point = first & 0x07, smallest = 0x10000;
    } else {
      return std::nullopt;
    }
  }
  if (text.size() < length) return std::nullopt;
  for (size_t i = 1; i < length; ++i) {
    const auto next = static_cast<uint8_t>(text[i]);
    if ((next & 0xc0) != 0x80) return std::nullopt;
    point = point << 6 | (next & 0x3f);
  }
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  if (point < smallest || point > 0x10ffff || surrogate) return std::nullopt;
  text.remove_prefix(length);
  return point;
}

// Unicode's White_Space property, as far as it is not below U+0020.
bool IsSpace(uint32_t point) {
  return point == 0x20 || point == 0x85 || point == 0xa0 || point == 0x1680 ||
         (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
         point == 0x202f || point == 0x205f || point == 0x3000;
}

}  // namespace

std::optional<uint64_t> ParseDecimal(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  // from_chars takes no sign for an unsigned type and no white space.
  auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<std::string_view> TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

bool IsNoteText(std::string_view text) {
  while (!text.empty()) {
    auto point = TakeCodePoint(text);
    if (!point || (*point < 0x20 && *point != '\n')) return false;
  }
  return true;
}

bool IsKeyName(std::string_view name) {
  if (name.empty()) return false;
  while (!name.empty()) {
    auto point = TakeCodePoint(name);
    if (!point || *point < 0x20 || *point == '+' || IsSpace(*point)) return false;
  }
  return true;
}

}  // namespace schakel::merkle
