// Which of a subject's statements speak about a transfer, and who wins: consent.h's rules on
// numbers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policy/engine/decide.h"

namespace schakel::policy {

struct Resolution {
  // An unbeaten objection stands.
  bool objection = false;
  // Places of the unbeaten consents, ascending.
  std::vector<uint16_t> consents;
  // When there is neither: why there is no consent (withdrawn before expired before none at all).
  DenyReason missing = DenyReason::kNoConsent;
};

// Looks at all statements; pure.
Resolution ResolveStatements(const Pair& pair, const EnvelopeFacts& envelope, Code category,
                             std::span<const InternedStatement> statements);

}  // namespace schakel::policy
