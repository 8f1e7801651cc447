// Dutch texts of all reasons of error_reason.proto, for people who use Schakel.
#pragma once

#include <string_view>

namespace schakel::transport {

// The text for a reason without its prefix ("NO_RULE"); empty when there is no such reason.
// It says what is the matter and, where the user can do something, what. Never data of the call.
std::string_view DutchText(std::string_view reason);

// Whether error_reason.proto has this reason (ERROR_REASON_UNSPECIFIED does not count).
bool IsKnownReason(std::string_view reason);

}  // namespace schakel::transport
