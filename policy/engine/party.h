// Who takes part in an exchange, as the directory and the active bundle know them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/ids.h"

namespace schakel::policy {

// A function for an area, such as debt-relief@dordrecht. Codes of the bundle.
struct FunctionAtArea {
  std::string function;
  std::string area;

  // Reads `function@area`; the area may be written with capitals (`debt-relief@Dordrecht`).
  // nullopt unless both parts are there. Whether the codes exist is not known here.
  static std::optional<FunctionAtArea> Parse(std::string_view text);
  std::string str() const { return function + "@" + area; }
  auto operator<=>(const FunctionAtArea&) const = default;
};

// An organisation's entry in the directory, as far as decisions need it.
struct Party {
  OrganisationId oin;
  std::string sector;
  // Functions beside those that the bundle's own table gives it; normally empty.
  std::vector<FunctionAtArea> functions;
  // Areas that it works for, such as `dordrecht`, `wielwijk`.
  std::vector<std::string> areas;
  // May use the citizen service number.
  bool bsn_authority = false;

  bool operator==(const Party&) const = default;
};

}  // namespace schakel::policy
