// Deciding. INVARIANT I3: deny by default; what the bundle does not know is denied. A forbid wins
// over every permit. Pure: no clock, no I/O; the same question gets the same answer.
//
// Order of checks, which is the order of the reasons: unknown codes; unlinked subject under
// consent; BSN authority; whether the ground holds; forbids; permits; attested conditions; shield;
// statements.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policy/engine/compile.h"

namespace schakel::policy {

// What a signal has to do with a case.
enum class CaseRelation : uint8_t {
  kNone = 0,
  kNamed = 1,         // it names one
  kParticipants = 2,  // and both parties take part in it
};

// ---- In numbers: what the machine asks for each section and subject ----

// Of a whole envelope.
struct EnvelopeFacts {
  Code signal_type = kUnknown;
  Code purpose = kUnknown;
  std::optional<CaseId> case_id;
  CaseRelation case_relation = CaseRelation::kNone;
  Millis now{0};
};

// Of one section.
struct SectionFacts {
  Code category = kUnknown;
  Code ground = kUnknown;
  ConditionSet attested = 0;
  std::vector<uint16_t> subjects;  // places in the envelope's subjects; empty is denied
};

// Of one subject.
struct SubjectFacts {
  bool linked = true;
  bool shielded = false;
  std::span<const InternedStatement> statements = {};  // all that are known about this subject
};

// One section about one subject to one recipient. Identity sections are decided here by rules
// alone; that they go only together with another section is DecideRecipient's to see.
Decision Decide(const CompiledBundle& bundle, const Pair& pair, const EnvelopeFacts& envelope,
                Code category, Code ground, ConditionSet attested, const SubjectFacts& subject);

// What one recipient gets of one envelope.
struct RecipientDecision {
  struct Section {
    bool permitted = false;
    // One per subject of the section, in its order; the section is permitted when each of them is.
    // A section without subjects, or naming one that is not there, has one denial (UNKNOWN_CODE).
    std::vector<Decision> subjects;
    // The first that denied, or else the first.
    const Decision& deciding() const;
  };
  std::vector<Section> sections;    // as given
  std::vector<uint16_t> permitted;  // places of the permitted sections, ascending
  // When nothing is permitted: the place of the section whose reason stands for all, the first that
  // is no identity section (or else the first).
  std::optional<uint16_t> denied_by;

  // The reason of that section; kNone when something is permitted.
  DenyReason reason() const;
  bool subject_dependent() const;
};

// Decides all sections of an envelope for one recipient. A section about several subjects needs a
// permit for each of them. Identity sections need a permitted other section about the same subject.
RecipientDecision DecideRecipient(const CompiledBundle& bundle, const Pair& pair,
                                  const EnvelopeFacts& envelope,
                                  std::span<const SectionFacts> sections,
                                  std::span<const SubjectFacts> subjects);

// ---- In words: for tests, explain and everything that asks once ----

// One section about one subject.
struct SectionQuestion {
  Party sender;
  Party recipient;
  std::optional<FunctionAtArea> addressed = std::nullopt;
  std::string signal_type = {};
  std::string purpose = {};
  std::string category = {};
  std::string ground = {};
  std::vector<std::string> attested = {};
  bool subject_linked = true;
  bool shielded = false;
  std::span<const ConsentFact> statements = {};
  std::optional<CaseId> case_id = std::nullopt;
  CaseRelation case_relation = CaseRelation::kNone;
  Millis now{0};
};

// Interns and decides. For an identity category: as if it went with a permitted section.
Decision Decide(const CompiledBundle& bundle, const SectionQuestion& question);

}  // namespace schakel::policy
