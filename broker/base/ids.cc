#include "broker/base/ids.h"

#include <algorithm>

namespace schakel {
namespace {
bool AllDigits(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}
}  // namespace

std::optional<OrganisationId> OrganisationId::From(std::string_view oin) {
  if (oin.size() != 20 || !AllDigits(oin)) return std::nullopt;
  return OrganisationId(std::string(oin));
}

bool FollowsOinScheme(const OrganisationId& oin) {
  const std::string_view text = oin.str();
  const std::string_view prefix = text.substr(0, 8);
  const bool known = (prefix >= "00000001" && prefix <= "00000010") || prefix == "00000099";
  return known && text.ends_with(prefix == "00000003" ? "0000" : "000");
}

std::string UuidText(BytesView raw16) {
  std::string hex = HexEncode(raw16);
  if (hex.size() != 32) return hex;
  std::string text;
  for (size_t i = 0; i < hex.size(); ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) text.push_back('-');
    text.push_back(hex[i]);
  }
  return text;
}

std::optional<Bytes> UuidParse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string hex;
  for (size_t i = 0; i < text.size(); ++i) {
    bool hyphen_place = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen_place != (text[i] == '-')) return std::nullopt;
    if (!hyphen_place) hex.push_back(text[i]);
  }
  return HexDecode(hex);
}

bool PassesElfproef(std::string_view nine_digits) {
  if (nine_digits.size() != 9 || !AllDigits(nine_digits) || nine_digits == "000000000")
    return false;
  int sum = -(nine_digits[8] - '0');
  for (int i = 0; i < 8; ++i) sum += (9 - i) * (nine_digits[static_cast<size_t>(i)] - '0');
  return sum % 11 == 0;
}

}  // namespace schakel
