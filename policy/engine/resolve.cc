#include "policy/engine/resolve.h"

#include <algorithm>

namespace schakel::policy {
namespace {

using Axis = InternedStatement::Axis;
using FunctionArea = InternedParty::FunctionArea;

bool FunctionMatches(const Axis& axis, const FunctionArea& held) {
  // An unknown code names nothing, also not another unknown one.
  if (axis.code == kUnknown || held.function != axis.code) return false;
  return !axis.has_area || (axis.area != kUnknown && axis.area == held.area);
}

bool PartyMatches(StatementKind kind, const Axis& axis, const InternedParty& party,
                  const std::optional<FunctionArea>& addressed) {
  switch (axis.level) {
    case PartyAxisLevel::kAny:
      return true;
    case PartyAxisLevel::kSector:
      return axis.code != kUnknown && axis.code == party.sector;
    case PartyAxisLevel::kOrganisation:
      return axis.oin == party.oin;
    case PartyAxisLevel::kFunction:
      // A consent reads narrowly, an objection widely (consent.h).
      if (addressed && kind == StatementKind::kConsent) return FunctionMatches(axis, *addressed);
      return std::any_of(party.functions.begin(), party.functions.end(),
                         [&](const FunctionArea& held) { return FunctionMatches(axis, held); });
  }
  return false;
}

bool StatementMatches(const InternedStatement& s, const Pair& pair, const EnvelopeFacts& envelope,
                      Code category) {
  return (s.any_category || (s.category != kUnknown && s.category == category)) &&
         (s.any_purpose || (s.purpose != kUnknown && s.purpose == envelope.purpose)) &&
         (!s.case_id || s.case_id == envelope.case_id) &&
         PartyMatches(s.kind, s.sender, pair.sender, std::nullopt) &&
         PartyMatches(s.kind, s.recipient, pair.recipient, pair.addressed);
}

bool StatementBeats(const InternedStatement& a, const InternedStatement& b) {
  const bool at_least = a.sender.level >= b.sender.level &&
                        a.recipient.level >= b.recipient.level &&
                        a.case_id.has_value() >= b.case_id.has_value() &&
                        a.any_category <= b.any_category && a.any_purpose <= b.any_purpose;
  const bool more = a.sender.level != b.sender.level || a.recipient.level != b.recipient.level ||
                    a.case_id.has_value() != b.case_id.has_value() ||
                    a.any_category != b.any_category || a.any_purpose != b.any_purpose;
  return at_least && more;
}

void NoteMissing(const InternedStatement& s, Millis now, Resolution* out) {
  if (s.kind != StatementKind::kConsent) return;
  if (s.withdrawn) {
    out->missing = DenyReason::kConsentWithdrawn;
  } else if (now >= s.not_after && out->missing == DenyReason::kNoConsent) {
    out->missing = DenyReason::kConsentExpired;
  }
}

}  // namespace

Resolution ResolveStatements(const Pair& pair, const EnvelopeFacts& envelope, Code category,
                             std::span<const InternedStatement> statements) {
  Resolution out;
  std::vector<uint16_t> candidates;
  for (size_t i = 0; i < statements.size(); ++i) {
    const InternedStatement& s = statements[i];
    if (!StatementMatches(s, pair, envelope, category)) continue;
    if (s.withdrawn || envelope.now < s.not_before || envelope.now >= s.not_after) {
      NoteMissing(s, envelope.now, &out);
    } else {
      candidates.push_back(static_cast<uint16_t>(i));
    }
  }
  for (const uint16_t i : candidates) {
    const bool beaten = std::any_of(candidates.begin(), candidates.end(), [&](uint16_t other) {
      return StatementBeats(statements[other], statements[i]);
    });
    if (beaten) continue;
    if (statements[i].kind == StatementKind::kObjection) {
      out.objection = true;
    } else {
      out.consents.push_back(i);
    }
  }
  return out;
}

}  // namespace schakel::policy
