#include "policy/engine/decide.h"

#include <algorithm>
#include <bit>

#include "policy/engine/resolve.h"
#include "policy/engine/tables.h"

namespace schakel::policy {
namespace {

Decision Deny(Decision decision, DenyReason reason) {
  decision.permitted = false;
  decision.reason = reason;
  decision.subject_dependent = reason >= DenyReason::kShielded;
  decision.obligations = nullptr;
  decision.relied_on.clear();
  return decision;
}

bool IsIdentity(const Tables& t, Code category) {
  if (category < 0 || static_cast<size_t>(category) >= t.category_kind.size()) return false;
  const auto kind = t.category_kind[category];
  return kind == v1::BUNDLE_CATEGORY_KIND_IDENTITY ||
         kind == v1::BUNDLE_CATEGORY_KIND_IDENTITY_BSN ||
         kind == v1::BUNDLE_CATEGORY_KIND_IDENTITY_ADDRESS;
}

// The rules of a question, a word at a time.
class RuleScan {
 public:
  RuleScan(const Tables& t, const Pair& pair, const EnvelopeFacts& envelope, Code category,
           Code ground)
      : t_(t),
        pair_(pair.rules.data()),
        type_(t.by_type[envelope.signal_type].data()),
        purpose_(t.by_purpose[envelope.purpose].data()),
        category_(t.by_category[category].data()),
        ground_(t.by_ground[ground].data()),
        case_(t.by_case[static_cast<size_t>(envelope.case_relation)].data()) {}

  // Places in rules.yaml of the first match; -1 when there is none.
  int Forbid() const { return First(0, t_.forbid_words, nullptr); }
  int Permit() const { return First(t_.forbid_words, t_.words, nullptr); }
  int PermitThatNamesRecipient() const {
    return First(t_.forbid_words, t_.words, t_.to.names_organisation.data());
  }

 private:
  int First(size_t begin, size_t end, const uint64_t* extra) const {
    for (size_t i = begin; i < end; ++i) {
      uint64_t word = pair_[i] & type_[i] & purpose_[i] & category_[i] & ground_[i] & case_[i];
      if (extra != nullptr) word &= extra[i];
      if (word != 0) return t_.rule_at[i * 64 + static_cast<size_t>(std::countr_zero(word))];
    }
    return -1;
  }

  const Tables& t_;
  const uint64_t* pair_;
  const uint64_t* type_;
  const uint64_t* purpose_;
  const uint64_t* category_;
  const uint64_t* ground_;
  const uint64_t* case_;
};

// What is wrong with the question itself, whatever the rules and statements say.
DenyReason CheckQuestion(const Tables& t, const Pair& pair, const EnvelopeFacts& envelope,
                         Code category, Code ground, ConditionSet attested,
                         const SubjectFacts& subject) {
  if (envelope.signal_type < 0 || envelope.purpose < 0 || category < 0 || ground < 0 ||
      pair.sender.sector < 0 || pair.recipient.sector < 0 || !pair.resolved ||
      (attested & kUnknownCondition) != 0) {
    return DenyReason::kUnknownCode;
  }
  const GroundTable& g = t.ground[ground];
  if (!subject.linked && g.consent) return DenyReason::kUnlinkedSubject;
  if (g.nobody && subject.linked) return DenyReason::kGroundNotApplicable;
  if (!g.nobody && !subject.linked && !pair.recipient.bsn_authority) {
    return DenyReason::kBsnAuthorityMissing;
  }
  if (t.category_kind[category] == v1::BUNDLE_CATEGORY_KIND_IDENTITY_BSN &&
      (!pair.recipient.bsn_authority || !pair.sender.bsn_authority)) {
    return DenyReason::kBsnAuthorityMissing;
  }
  if (!t.GroundHolds(ground, pair.sender.sector, envelope.signal_type, envelope.purpose,
                     category)) {
    return DenyReason::kGroundNotApplicable;
  }
  return DenyReason::kNone;
}

// What the subject's statements mean for a permit under the ground.
DenyReason CheckStatements(const Tables& t, const Pair& pair, const EnvelopeFacts& envelope,
                           Code category, const GroundTable& ground, ConditionSet attested,
                           const SubjectFacts& subject, std::vector<uint16_t>* relied_on) {
  Resolution resolution = ResolveStatements(pair, envelope, category, subject.statements);
  if (ground.consent) {
    if (resolution.objection) return DenyReason::kObjection;
    if (resolution.consents.empty()) return resolution.missing;
    *relied_on = std::move(resolution.consents);
    return DenyReason::kNone;
  }
  if (!resolution.objection || ground.objection == v1::BUNDLE_OBJECTION_EFFECT_NO_EFFECT) {
    return DenyReason::kNone;
  }
  if (ground.objection == v1::BUNDLE_OBJECTION_EFFECT_REVIEW) {
    return (attested & t.objection_weighed) != 0 ? DenyReason::kNone : DenyReason::kObjectionReview;
  }
  return DenyReason::kObjection;
}

// Whether identity about the subject may go: another section about that subject is permitted. When
// none is, `dependent` tells whether that reveals something about the subject.
bool HasCompany(const Tables& t, std::span<const SectionFacts> sections,
                const RecipientDecision& decided, uint16_t subject, bool* dependent) {
  *dependent = false;
  for (size_t i = 0; i < sections.size(); ++i) {
    const auto& about = sections[i].subjects;
    if (IsIdentity(t, sections[i].category) ||
        std::find(about.begin(), about.end(), subject) == about.end()) {
      continue;
    }
    if (decided.sections[i].permitted) return true;
    for (const Decision& d : decided.sections[i].subjects) *dependent |= d.subject_dependent;
  }
  return false;
}

}  // namespace

Decision Decide(const CompiledBundle& bundle, const Pair& pair, const EnvelopeFacts& envelope,
                Code category, Code ground, ConditionSet attested, const SubjectFacts& subject) {
  const Tables& t = bundle.tables();
  Decision decision;
  if (ground >= 0) decision.article = t.ground[ground].article;
  const DenyReason wrong = CheckQuestion(t, pair, envelope, category, ground, attested, subject);
  if (wrong != DenyReason::kNone) return Deny(std::move(decision), wrong);

  const auto id = [&](int rule) -> std::string_view {
    return bundle.source().rules.rules(rule).id();
  };
  const RuleScan scan(t, pair, envelope, category, ground);
  if (const int forbid = scan.Forbid(); forbid >= 0) {
    decision.rule = id(forbid);
    return Deny(std::move(decision), DenyReason::kForbiddenByRule);
  }
  // INVARIANT I3: what the type does not carry, no rule can permit.
  if (!t.TypeHasPurpose(envelope.signal_type, envelope.purpose) ||
      !t.TypeHasCategory(envelope.signal_type, category)) {
    return Deny(std::move(decision), DenyReason::kNoRule);
  }
  int permit = scan.Permit();
  if (permit < 0) return Deny(std::move(decision), DenyReason::kNoRule);
  const GroundTable& g = t.ground[ground];
  if ((g.conditions & ~attested) != 0) {
    return Deny(std::move(decision), DenyReason::kConditionNotAttested);
  }
  if (subject.shielded) {
    permit = scan.PermitThatNamesRecipient();
    if (permit < 0) return Deny(std::move(decision), DenyReason::kShielded);
  }
  decision.rule = id(permit);
  const DenyReason statements =
      CheckStatements(t, pair, envelope, category, g, attested, subject, &decision.relied_on);
  if (statements != DenyReason::kNone) return Deny(std::move(decision), statements);
  decision.permitted = true;
  if (t.obliges[permit]) decision.obligations = &t.obligations[permit];
  return decision;
}

const Decision& RecipientDecision::Section::deciding() const {
  SCHAKEL_CHECK(!subjects.empty(), "a decided section has a decision");
  for (const Decision& d : subjects) {
    if (!d.permitted) return d;
  }
  return subjects.front();
}

DenyReason RecipientDecision::reason() const {
  return denied_by ? sections[*denied_by].deciding().reason : DenyReason::kNone;
}

bool RecipientDecision::subject_dependent() const {
  return denied_by && sections[*denied_by].deciding().subject_dependent;
}

RecipientDecision DecideRecipient(const CompiledBundle& bundle, const Pair& pair,
                                  const EnvelopeFacts& envelope,
                                  std::span<const SectionFacts> sections,
                                  std::span<const SubjectFacts> subjects) {
  const Tables& t = bundle.tables();
  RecipientDecision out;
  out.sections.resize(sections.size());
  for (size_t i = 0; i < sections.size(); ++i) {
    const SectionFacts& section = sections[i];
    auto& decided = out.sections[i];
    decided.permitted = !section.subjects.empty();
    decided.subjects.reserve(section.subjects.size());
    for (const uint16_t subject : section.subjects) {
      decided.subjects.push_back(subject < subjects.size()
                                     ? Decide(bundle, pair, envelope, section.category,
                                              section.ground, section.attested, subjects[subject])
                                     : Deny({}, DenyReason::kUnknownCode));
      decided.permitted &= decided.subjects.back().permitted;
    }
    if (decided.subjects.empty()) decided.subjects.push_back(Deny({}, DenyReason::kUnknownCode));
  }
  for (size_t i = 0; i < sections.size(); ++i) {
    auto& decided = out.sections[i];
    if (!decided.permitted || !IsIdentity(t, sections[i].category)) continue;
    for (size_t k = 0; k < sections[i].subjects.size(); ++k) {
      bool dependent = false;
      if (HasCompany(t, sections, out, sections[i].subjects[k], &dependent)) continue;
      Decision& d = decided.subjects[k];
      d = Deny(std::move(d), DenyReason::kIdentityAlone);
      d.subject_dependent = dependent;
      decided.permitted = false;
    }
  }
  for (size_t i = 0; i < sections.size(); ++i) {
    const auto place = static_cast<uint16_t>(i);
    if (out.sections[i].permitted) out.permitted.push_back(place);
    const bool better = !out.denied_by || (IsIdentity(t, sections[*out.denied_by].category) &&
                                           !IsIdentity(t, sections[i].category));
    if (better) out.denied_by = place;
  }
  if (!out.permitted.empty()) out.denied_by.reset();
  return out;
}

Decision Decide(const CompiledBundle& bundle, const SectionQuestion& question) {
  const Pair pair = bundle.Meet(bundle.Intern(question.sender), bundle.Intern(question.recipient),
                                question.addressed);
  std::vector<InternedStatement> statements;
  statements.reserve(question.statements.size());
  for (const ConsentFact& fact : question.statements) statements.push_back(bundle.Intern(fact));
  EnvelopeFacts envelope;
  envelope.signal_type = bundle.SignalType(question.signal_type);
  envelope.purpose = bundle.Purpose(question.purpose);
  envelope.case_id = question.case_id;
  envelope.case_relation = question.case_relation;
  envelope.now = question.now;
  const SubjectFacts subject{question.subject_linked, question.shielded, statements};
  return Decide(bundle, pair, envelope, bundle.Category(question.category),
                bundle.Ground(question.ground), bundle.Conditions(question.attested), subject);
}

}  // namespace schakel::policy
