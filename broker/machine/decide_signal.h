// The machine's questions to the policy engine about one signal, and what of the answers may be
// told.
#pragma once

#include <memory>
#include <vector>

#include "broker/machine/facts.h"

namespace schakel::machine {

// What a decision about a signal needs beside its recipients. Values point into what was given and
// into `statements`, which stay where they are.
struct SignalQuestion {
  Facts::Bundle bundle;
  Digest bundle_digest;
  uint64_t sender_version = 0;  // of its entry in the directory
  std::shared_ptr<const policy::InternedParty> sender_party;
  policy::EnvelopeFacts envelope;
  std::vector<policy::SectionFacts> sections;
  std::vector<v1::SectionMeta> metas;  // by section
  std::vector<v1::RoutedSubject> subjects;
  std::vector<SubjectStatements> statements;  // by subject
  std::vector<policy::SubjectFacts> facts;    // by subject; look into `statements`

  SignalQuestion() = default;
  SignalQuestion(SignalQuestion&&) = default;
  SignalQuestion& operator=(SignalQuestion&&) = default;
  SignalQuestion(const SignalQuestion&) = delete;
};

// What is asked, in words.
struct SignalFacts {
  std::string signal_type;
  std::string purpose;
  Bytes case_id;  // 16 bytes or empty
  uint64_t now_ms = 0;
};

// Prepares the question: interns codes, finds the statements of every linked subject.
// `section_subjects` are places in `subjects`.
Result<SignalQuestion> PrepareQuestion(
    const store::StateReader& view, Facts* facts, Facts::Bundle bundle, const Digest& bundle_digest,
    const SignalFacts& signal, const state::v1::OrganisationVersion& sender,
    const google::protobuf::RepeatedPtrField<v1::RoutedSubject>& subjects,
    const std::vector<v1::SectionMeta>& metas,
    const std::vector<std::vector<uint16_t>>& section_subjects);

// What was decided for one recipient.
struct SlotDecision {
  std::vector<uint32_t> offered;     // places of the sections that were asked about
  std::vector<uint32_t> permitted;   // of these, ascending
  policy::RecipientDecision engine;  // by place in `offered`
  std::string reason;                // fine reason when nothing is permitted
  bool subject_dependent = false;    // of that reason
  // Why a section was not asked about: RESEAL_NEEDED, by place.
  std::vector<uint32_t> reseal;
};

// Decides the offered sections for one recipient.
SlotDecision DecideSlot(const SignalQuestion& question, Facts* facts,
                        const state::v1::OrganisationVersion& recipient,
                        const v1::FunctionAddress* addressed, std::vector<uint32_t> offered);

// A slot that gets nothing for a reason that lies outside the engine.
SlotDecision DenySlot(std::string reason);

// Outward: categories, denials and reason as the sender may know them. `knows_subject` by subject:
// whether the caller recorded a statement about it. `sids` are ids of sections, by place; may be
// empty.
void FillOutcome(const SignalQuestion& question, const SlotDecision& decision,
                 const std::vector<bool>& knows_subject, const std::vector<Bytes>& sids,
                 v1::RecipientOutcome* out);

// By subject: whether `caller` recorded a statement about it.
std::vector<bool> KnowsSubject(const SignalQuestion& question, const OrganisationId& caller);

// The detail of a record about one subject: every input of the decision.
void FillDetail(const SignalQuestion& question, uint16_t subject, uint32_t slot,
                const SlotDecision& decision, v1::Detail* detail);
// The part of it that is the same for all slots.
void FillDetailSubject(const SignalQuestion& question, uint16_t subject, v1::Detail* detail);

// Consents that the permitted sections rely on, distinct.
std::vector<StatementId> ReliedOn(const SignalQuestion& question, const SlotDecision& decision);

}  // namespace schakel::machine
