// The answer to "may this section about this subject go from here to there". A denial is a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace schakel::policy {

// Why not. The names are those of error_reason.proto.
enum class DenyReason : uint8_t {
  kNone = 0,              // permitted
  kUnknownCode,           // a code that the bundle does not know, or an addressed function not held
  kUnlinkedSubject,       // an unlinked subject under consent
  kBsnAuthorityMissing,   // identity-bsn or an unlinked subject, and a party without BSN authority
  kGroundNotApplicable,   // the ground does not hold for this sector, type, purpose or category
  kForbiddenByRule,       // a forbid matches
  kNoRule,                // no permit matches, or the type does not have this purpose or category
  kConditionNotAttested,  // the ground has a condition that the section does not attest
  kIdentityAlone,         // identity without a permitted section about the same subject
  // From here on the answer depends on the subject: partners get NOT_PERMITTED instead.
  kShielded,  // only rules that name the recipient permit, and none does
  kNoConsent,
  kConsentExpired,
  kConsentWithdrawn,
  kObjection,
  kObjectionReview,  // permitted once `objection-weighed` is attested
};

inline constexpr size_t kDenyReasonCount = static_cast<size_t>(DenyReason::kObjectionReview) + 1;

// UPPER_SNAKE, as in error_reason.proto without the prefix; "" for kNone.
std::string_view ReasonName(DenyReason reason);
// Lower case with hyphens, as tests.yaml writes it; "permit" for kNone.
std::string_view ReasonCode(DenyReason reason);

// What a permit obliges to; unset when nothing.
struct Obligations {
  std::optional<std::chrono::milliseconds> acknowledge_within;
  std::optional<std::chrono::milliseconds> retention;
  std::optional<std::chrono::milliseconds> notify_subject_within;
  bool reason_required = false;
  bool operator==(const Obligations&) const = default;
};

// Views point into the CompiledBundle that decided and live as long as it.
struct Decision {
  bool permitted = false;
  DenyReason reason = DenyReason::kNone;
  // The denial reveals something about the subject: outwards it is NOT_PERMITTED, without rule.
  bool subject_dependent = false;
  std::string_view rule;     // id of the permit or forbid that decided; empty when none did
  std::string_view article;  // of the claimed ground; empty when the ground is unknown
  // The consents that the permit relies on: places in the statements that were given, ascending.
  // Not only with the ground `consent` does an answer depend on statements: decide anew on a
  // change.
  std::vector<uint16_t> relied_on;
  const Obligations* obligations = nullptr;  // of the permit; null when denied or none

  bool operator==(const Decision& o) const {
    return permitted == o.permitted && reason == o.reason &&
           subject_dependent == o.subject_dependent && rule == o.rule && article == o.article &&
           relied_on == o.relied_on;
  }
};

}  // namespace schakel::policy
