#include "policy/engine/party.h"

namespace schakel::policy {

std::optional<FunctionAtArea> FunctionAtArea::Parse(std::string_view text) {
  const size_t at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size()) return std::nullopt;
  FunctionAtArea out{std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
  if (out.area.find('@') != std::string::npos) return std::nullopt;
  // People write an area as its name: Dordrecht, Nieuw Krispijn.
  for (char& c : out.area) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == ' ') c = '-';
  }
  return out;
}

}  // namespace schakel::policy
