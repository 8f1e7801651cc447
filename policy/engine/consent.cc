#include "policy/engine/consent.h"

#include <algorithm>
#include <array>

namespace schakel::policy {
namespace {

// Specificity per axis: sender, recipient, case, category, purpose.
std::array<int, 5> Specificity(const Axes& axes) {
  return {static_cast<int>(axes.sender.level), static_cast<int>(axes.recipient.level),
          axes.case_id.has_value() ? 1 : 0, axes.category.empty() ? 0 : 1,
          axes.purpose.empty() ? 0 : 1};
}

// Whether `general` (`function` or `function@area`) is `special` or contains it.
bool FunctionContains(std::string_view general, std::string_view special) {
  if (general == special) return true;
  return general.find('@') == std::string_view::npos &&
         special.substr(0, special.find('@')) == general;
}

bool PartyMatches(StatementKind kind, const PartyAxis& axis, const Party& party,
                  const std::optional<FunctionAtArea>& addressed) {
  switch (axis.level) {
    case PartyAxisLevel::kAny:
      return true;
    case PartyAxisLevel::kSector:
      return !axis.value.empty() && axis.value == party.sector;
    case PartyAxisLevel::kOrganisation:
      return axis.value == party.oin.str();
    case PartyAxisLevel::kFunction:
      if (axis.value.empty()) return false;
      if (addressed && kind == StatementKind::kConsent) {
        return FunctionContains(axis.value, addressed->str());
      }
      return std::any_of(
          party.functions.begin(), party.functions.end(),
          [&](const FunctionAtArea& held) { return FunctionContains(axis.value, held.str()); });
  }
  return false;
}

bool PartyCovers(const PartyAxis& objection, const PartyAxis& consent,
                 const Containment& containment) {
  if (objection.level == PartyAxisLevel::kAny || objection == consent) return true;
  if (consent.level == PartyAxisLevel::kOrganisation) {
    const auto oin = OrganisationId::From(consent.value);
    if (!oin) return false;
    if (objection.level == PartyAxisLevel::kSector) {
      return containment.InSector(*oin, objection.value);
    }
    if (objection.level == PartyAxisLevel::kFunction) {
      return containment.InFunction(*oin, objection.value);
    }
    return false;
  }
  return objection.level == PartyAxisLevel::kFunction &&
         consent.level == PartyAxisLevel::kFunction &&
         FunctionContains(objection.value, consent.value);
}

}  // namespace

PartyAxis PartyAxis::Function(std::string function, std::string area) {
  if (!area.empty()) function += "@" + area;
  return {PartyAxisLevel::kFunction, std::move(function)};
}

bool InForce(const ConsentFact& fact, Millis now) {
  return !fact.withdrawn_at && fact.not_before <= now && now < fact.not_after;
}

bool Beats(const Axes& a, const Axes& b) {
  const auto left = Specificity(a);
  const auto right = Specificity(b);
  for (size_t i = 0; i < left.size(); ++i) {
    if (left[i] < right[i]) return false;
  }
  return left != right;
}

bool Matches(StatementKind kind, const Axes& axes, const Transfer& transfer) {
  return PartyMatches(kind, axes.sender, *transfer.sender, std::nullopt) &&
         PartyMatches(kind, axes.recipient, *transfer.recipient, transfer.addressed) &&
         (!axes.case_id || axes.case_id == transfer.case_id) &&
         (axes.category.empty() || axes.category == transfer.category) &&
         (axes.purpose.empty() || axes.purpose == transfer.purpose);
}

bool Covers(const Axes& objection, const Axes& consent, const Containment& containment) {
  return PartyCovers(objection.sender, consent.sender, containment) &&
         PartyCovers(objection.recipient, consent.recipient, containment) &&
         (!objection.case_id || objection.case_id == consent.case_id) &&
         (objection.category.empty() || objection.category == consent.category) &&
         (objection.purpose.empty() || objection.purpose == consent.purpose);
}

}  // namespace schakel::policy
