#include "broker/machine/decide_signal.h"

#include <algorithm>
#include <set>

namespace schakel::machine {

Result<SignalQuestion> PrepareQuestion(
    const store::StateReader& view, Facts* facts, Facts::Bundle bundle, const Digest& bundle_digest,
    const SignalFacts& signal, const state::v1::OrganisationVersion& sender,
    const google::protobuf::RepeatedPtrField<v1::RoutedSubject>& subjects,
    const std::vector<v1::SectionMeta>& metas,
    const std::vector<std::vector<uint16_t>>& section_subjects) {
  SignalQuestion q;
  q.bundle = std::move(bundle);
  q.bundle_digest = bundle_digest;
  q.sender_version = sender.version();
  q.sender_party = facts->Party(bundle_digest, q.bundle, sender);
  q.envelope.signal_type = q.bundle->SignalType(signal.signal_type);
  q.envelope.purpose = q.bundle->Purpose(signal.purpose);
  q.envelope.case_id = CaseId::From(signal.case_id);
  q.envelope.case_relation =
      q.envelope.case_id ? policy::CaseRelation::kNamed : policy::CaseRelation::kNone;
  q.envelope.now = Millis(signal.now_ms);
  q.metas = metas;
  for (size_t i = 0; i < metas.size(); ++i) {
    std::vector<std::string> attested(metas[i].attested_conditions().begin(),
                                      metas[i].attested_conditions().end());
    q.sections.push_back({q.bundle->Category(metas[i].category()),
                          q.bundle->Ground(metas[i].ground()), q.bundle->Conditions(attested),
                          section_subjects[i]});
  }
  q.subjects.assign(subjects.begin(), subjects.end());
  for (const auto& subject : subjects) {
    SCHAKEL_ASSIGN(auto statements, FindStatements(view, *q.bundle, subject.ref()));
    q.statements.push_back(std::move(statements));
  }
  for (size_t i = 0; i < q.subjects.size(); ++i) {
    q.facts.push_back({IsLinked(q.subjects[i].ref()), false, q.statements[i].interned});
  }
  return q;
}

SlotDecision DenySlot(std::string reason) {
  SlotDecision decision;
  decision.reason = std::move(reason);
  return decision;
}

SlotDecision DecideSlot(const SignalQuestion& q, Facts* facts,
                        const state::v1::OrganisationVersion& recipient,
                        const v1::FunctionAddress* addressed, std::vector<uint32_t> offered) {
  SlotDecision decision;
  decision.offered = std::move(offered);
  std::optional<policy::FunctionAtArea> function;
  if (addressed != nullptr) {
    function = policy::FunctionAtArea{addressed->function(), addressed->area()};
  }
  auto party = facts->Party(q.bundle_digest, q.bundle, recipient);
  policy::Pair pair = q.bundle->Meet(*q.sender_party, *party, function);
  std::vector<policy::SectionFacts> sections;
  for (uint32_t place : decision.offered) sections.push_back(q.sections[place]);
  decision.engine = policy::DecideRecipient(*q.bundle, pair, q.envelope, sections, q.facts);
  for (uint16_t place : decision.engine.permitted) {
    decision.permitted.push_back(decision.offered[place]);
  }
  if (decision.permitted.empty()) {
    decision.reason = std::string(policy::ReasonName(decision.engine.reason()));
    decision.subject_dependent = decision.engine.subject_dependent();
    if (decision.reason.empty()) decision.reason = "NO_RULE";
  }
  return decision;
}

std::vector<bool> KnowsSubject(const SignalQuestion& q, const OrganisationId& caller) {
  std::vector<bool> knows;
  for (const auto& statements : q.statements) {
    knows.push_back(
        std::any_of(statements.states.begin(), statements.states.end(),
                    [&](const auto& state) { return state.parsed().recorder() == caller.str(); }));
  }
  return knows;
}

void FillOutcome(const SignalQuestion& q, const SlotDecision& decision,
                 const std::vector<bool>& knows_subject, const std::vector<Bytes>& sids,
                 v1::RecipientOutcome* out) {
  auto knows_all = [&](uint32_t section) {
    for (uint16_t subject : q.sections[section].subjects) {
      if (!knows_subject[subject]) return false;
    }
    return true;
  };
  for (uint32_t place : decision.permitted) {
    out->add_permitted_categories(q.metas[place].category());
  }
  auto deny = [&](uint32_t place, std::string reason, std::string_view rule) {
    auto* denial = out->add_denials();
    if (place < sids.size()) denial->set_sid(sids[place]);
    denial->set_category(q.metas[place].category());
    denial->set_reason(std::move(reason));
    denial->set_rule(std::string(rule));
  };
  bool tell_reason = true;
  for (size_t i = 0; i < decision.offered.size(); ++i) {
    const auto& section = decision.engine.sections[i];
    if (section.permitted) continue;
    uint32_t place = decision.offered[i];
    const policy::Decision& why = section.deciding();
    if (why.subject_dependent && !knows_all(place)) {
      // INVARIANT I9: one reason for all that depends on the subject, and no rule.
      deny(place, "NOT_PERMITTED", "");
      tell_reason = false;
    } else {
      deny(place, std::string(policy::ReasonName(why.reason)),
           why.subject_dependent ? std::string_view() : why.rule);
    }
  }
  for (uint32_t place : decision.reseal) deny(place, "RESEAL_NEEDED", "");
  if (decision.permitted.empty()) {
    out->set_state(v1::RECIPIENT_STATE_DENIED);
    bool hide = decision.subject_dependent && !tell_reason;
    out->set_reason(hide ? "NOT_PERMITTED" : decision.reason);
  } else {
    out->set_state(v1::RECIPIENT_STATE_QUEUED);
  }
}

void FillDetailSubject(const SignalQuestion& q, uint16_t subject, v1::Detail* detail) {
  *detail->mutable_subject() = q.subjects[subject].ref();
  detail->mutable_versions()->set_machine(kMachineVersion);
  detail->mutable_versions()->set_sender_entry(q.sender_version);
  const auto& statements = q.statements[subject];
  for (size_t i = 0; i < statements.ids.size(); ++i) {
    auto* stated = detail->add_statements();
    stated->set_statement_id(statements.ids[i].str());
    stated->set_withdrawn_us(statements.states[i].withdrawn_us());
  }
}

void FillDetail(const SignalQuestion& q, uint16_t subject, uint32_t slot,
                const SlotDecision& decision, v1::Detail* detail) {
  for (size_t i = 0; i < decision.offered.size(); ++i) {
    uint32_t place = decision.offered[i];
    const auto& subjects = q.sections[place].subjects;
    auto at = std::find(subjects.begin(), subjects.end(), subject);
    if (at == subjects.end()) continue;
    const auto& answer =
        decision.engine.sections[i].subjects[static_cast<size_t>(at - subjects.begin())];
    auto* question = detail->add_questions();
    question->set_recipient(slot);
    question->set_section(place);
    question->set_category(q.metas[place].category());
    question->set_ground(q.metas[place].ground());
    *question->mutable_attested_conditions() = q.metas[place].attested_conditions();
    question->set_subject_linked(q.facts[subject].linked);
    question->set_outcome(answer.permitted ? v1::OUTCOME_PERMITTED : v1::OUTCOME_DENIED);
    question->set_reason(std::string(policy::ReasonName(answer.reason)));
    question->set_rule(std::string(answer.rule));
    for (uint16_t statement : answer.relied_on) {
      question->add_relied_on(q.statements[subject].ids[statement].str());
    }
  }
}

std::vector<StatementId> ReliedOn(const SignalQuestion& q, const SlotDecision& decision) {
  std::set<StatementId> ids;
  for (uint16_t i : decision.engine.permitted) {
    const auto& subjects = q.sections[decision.offered[i]].subjects;
    for (size_t k = 0; k < subjects.size(); ++k) {
      for (uint16_t statement : decision.engine.sections[i].subjects[k].relied_on) {
        ids.insert(q.statements[subjects[k]].ids[statement]);
      }
    }
  }
  return {ids.begin(), ids.end()};
}

}  // namespace schakel::machine
