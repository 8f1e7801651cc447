#include "policy/engine/decision.h"

#include <array>

namespace schakel::policy {
namespace {

struct Name {
  std::string_view name;
  std::string_view code;
};

constexpr std::array<Name, kDenyReasonCount> kNames = {{
    {"", "permit"},
    {"UNKNOWN_CODE", "unknown-code"},
    {"UNLINKED_SUBJECT", "unlinked-subject"},
    {"BSN_AUTHORITY_MISSING", "bsn-authority-missing"},
    {"GROUND_NOT_APPLICABLE", "ground-not-applicable"},
    {"FORBIDDEN_BY_RULE", "forbidden-by-rule"},
    {"NO_RULE", "no-rule"},
    {"CONDITION_NOT_ATTESTED", "condition-not-attested"},
    {"IDENTITY_ALONE", "identity-alone"},
    {"SHIELDED", "shielded"},
    {"NO_CONSENT", "no-consent"},
    {"CONSENT_EXPIRED", "consent-expired"},
    {"CONSENT_WITHDRAWN", "consent-withdrawn"},
    {"OBJECTION", "objection"},
    {"OBJECTION_REVIEW", "objection-review"},
}};

}  // namespace

std::string_view ReasonName(DenyReason reason) { return kNames[static_cast<size_t>(reason)].name; }
std::string_view ReasonCode(DenyReason reason) { return kNames[static_cast<size_t>(reason)].code; }

}  // namespace schakel::policy
