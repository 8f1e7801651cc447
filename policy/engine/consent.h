// Consents and objections: five axes, which statement beats which, what an objection covers. Pure.
//
// A beats B when it is at least as specific on every axis and more on one. Among the statements
// that match a transfer, are in force and are unbeaten, any objection wins.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "policy/engine/party.h"

namespace schakel::policy {

// How much an organisation axis says; the number is its specificity.
enum class PartyAxisLevel : uint8_t { kAny = 0, kSector = 1, kFunction = 2, kOrganisation = 3 };

// One of the two axes that name organisations.
struct PartyAxis {
  PartyAxisLevel level = PartyAxisLevel::kAny;
  // kAny: empty. kSector: a sector. kFunction: `function` or `function@area`. kOrganisation: an
  // OIN.
  std::string value;

  static PartyAxis Any() { return {}; }
  static PartyAxis Sector(std::string code) { return {PartyAxisLevel::kSector, std::move(code)}; }
  // An empty area means: wherever.
  static PartyAxis Function(std::string function, std::string area = {});
  static PartyAxis Organisation(const OrganisationId& oin) {
    return {PartyAxisLevel::kOrganisation, oin.str()};
  }
  bool operator==(const PartyAxis&) const = default;
};

// What a statement speaks about. An unset or empty axis means: any.
struct Axes {
  PartyAxis sender = {};
  PartyAxis recipient = {};
  std::optional<CaseId> case_id = std::nullopt;
  std::string category = {};
  std::string purpose = {};
  bool operator==(const Axes&) const = default;
};

enum class StatementKind : uint8_t { kConsent, kObjection };

// A statement about the subject in question, as the machine's state holds it.
struct ConsentFact {
  StatementId id;
  StatementKind kind = StatementKind::kConsent;
  Axes axes;
  Millis not_before{0};  // inclusive
  Millis not_after{0};   // exclusive
  // Set once it was withdrawn; then it is in force no more, whatever the time.
  std::optional<Millis> withdrawn_at;
  bool operator==(const ConsentFact&) const = default;
};

// not_before <= now < not_after and not withdrawn.
bool InForce(const ConsentFact& fact, Millis now);

// The strict partial order of specificity. Says nothing about whether both match one transfer.
bool Beats(const Axes& a, const Axes& b);

// A transfer of one section about the subject, for matching in words. Decide() uses a faster form
// of the same rules.
struct Transfer {
  const Party* sender = nullptr;     // functions: all that it holds, the bundle's included
  const Party* recipient = nullptr;  // likewise
  std::optional<FunctionAtArea> addressed;
  std::optional<CaseId> case_id;
  std::string category;
  std::string purpose;
};

// Whether a statement speaks about a transfer. When the recipient was addressed in a function, a
// consent reads narrowly (its function must be that one) and an objection widely (any function that
// the recipient holds), so that addressing another function of the same organisation does not lead
// around an objection.
bool Matches(StatementKind kind, const Axes& axes, const Transfer& transfer);

// What lies in what, by directory and active bundle at a position of the log.
class Containment {
 public:
  virtual ~Containment() = default;
  // Whether the organisation belongs to the sector. False when it is unknown.
  virtual bool InSector(const OrganisationId& oin, std::string_view sector) const = 0;
  // Whether the organisation fulfils the function (`function` or `function@area`).
  virtual bool InFunction(const OrganisationId& oin, std::string_view function) const = 0;
};

// Whether recording the objection withdraws the consent of the same subject: each of the
// objection's axes is any, equal to the consent's, or contains it (an organisation in a function or
// sector, a function at an area in that function; a function lies in no sector).
bool Covers(const Axes& objection, const Axes& consent, const Containment& containment);

}  // namespace schakel::policy
