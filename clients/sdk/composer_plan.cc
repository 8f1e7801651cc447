// Who could read what at best: addresses resolved, and the bundle's rules asked with every consent
// that might exist assumed.
#include <algorithm>

#include "clients/sdk/composer.h"
#include "clients/sdk/composer_internal.h"
#include "clients/sdk/inbox_client.h"
#include "clients/sdk/pseudonym_client.h"
#include "policy/engine/decide.h"
#include "policy/engine/duration.h"

namespace schakel::sdk {
namespace {

// A consent to everything. Whether the subject really consents is the broker's to know; a sender
// that seals for who could be permitted at best never has to seal again when a consent exists.
policy::ConsentFact AssumedConsent(Millis now) {
  policy::ConsentFact fact;
  fact.kind = policy::StatementKind::kConsent;
  fact.not_before = now;
  fact.not_after = now + Millis(1);
  return fact;
}

bool MayRead(const DraftSection& section, size_t recipient) {
  return section.readers.empty() || std::find(section.readers.begin(), section.readers.end(),
                                              recipient + 1) != section.readers.end();
}

}  // namespace

Result<PlannedRecipient> Composer::ResolveRecipient(const Addressee& to, Resolved& resolved) {
  if (to.organisation.has_value() == to.function.has_value()) {
    return InvalidArgument("FIELD_INVALID", "", "a recipient is an OIN or a function@area");
  }
  std::optional<OrganisationId> oin = to.organisation;
  if (to.function) {
    oin = bundle_->compiled->Resolve(*to.function);
    if (!oin) {
      return InvalidArgument("FUNCTION_UNRESOLVED", "",
                             "nobody fulfils " + to.function->str() + " by bundle " +
                                 bundle_->compiled->name() + " " + bundle_->compiled->version());
    }
  }
  for (const auto& other : resolved.plan) {
    if (other.oin == *oin) {
      return InvalidArgument("FIELD_INVALID", "",
                             oin->str() + " is a recipient already, by OIN or another function");
    }
  }
  auto member = directory_.Get(*oin);
  if (!member.ok() && member.error().code != ErrorCode::kNotFound) return member.error();
  std::optional<VerifiedKeySet> key_set;
  std::optional<policy::Party> party;
  if (member.ok() && !member->disabled && member->key_set) {
    key_set = member->key_set;
    SCHAKEL_ASSIGN(party, PartyOf(member->organisation));
  }
  resolved.key_sets.push_back(std::move(key_set));
  resolved.parties.push_back(std::move(party));
  return PlannedRecipient{*oin, to.function, {}};
}

void Composer::PlanByRules(const SignalDraft& draft, const policy::Party& sender, Millis now,
                           size_t place, Resolved& resolved) const {
  const auto& bundle = *bundle_->compiled;
  auto& plan = resolved.plan[place];
  if (!resolved.parties[place]) {
    for (const auto& section : draft.sections) {
      plan.sections.push_back({section.category, false, "RECIPIENT_UNAVAILABLE", ""});
    }
    return;
  }
  const auto pair =
      bundle.Meet(bundle.Intern(sender), bundle.Intern(*resolved.parties[place]), plan.function);
  const policy::EnvelopeFacts facts{
      bundle.SignalType(draft.signal_type), bundle.Purpose(draft.purpose), draft.case_id,
      draft.case_id ? policy::CaseRelation::kParticipants : policy::CaseRelation::kNone, now};
  const policy::InternedStatement assumed = bundle.Intern(AssumedConsent(now));
  std::vector<policy::SubjectFacts> subjects;
  for (const auto& subject : draft.subjects) {
    const bool linked = !IsUnlinked(subject);
    subjects.push_back(
        {linked, false,
         linked ? std::span(&assumed, 1) : std::span<const policy::InternedStatement>()});
  }
  std::vector<policy::SectionFacts> asked;
  std::vector<size_t> asked_place;
  for (size_t i = 0; i < draft.sections.size(); ++i) {
    const auto& section = draft.sections[i];
    plan.sections.push_back({section.category, false, "", ""});
    if (!MayRead(section, place)) continue;
    asked.push_back({bundle.Category(section.category), bundle.Ground(section.ground),
                     bundle.Conditions(section.attested), resolved.section_subjects[i]});
    asked_place.push_back(i);
  }
  const auto decision = policy::DecideRecipient(bundle, pair, facts, asked, subjects);
  for (size_t i = 0; i < asked.size(); ++i) {
    auto& planned = plan.sections[asked_place[i]];
    const auto& answer = decision.sections[i];
    const bool named = !draft.sections[asked_place[i]].readers.empty();
    planned.wrapped = answer.permitted || named || choice_ == WrapChoice::kEveryRecipient;
    planned.rule = std::string(answer.deciding().rule);
    if (!answer.permitted) {
      planned.reason = std::string(policy::ReasonName(answer.deciding().reason));
    }
  }
}

Result<Composer::Resolved> Composer::Resolve(const SignalDraft& draft, Millis now) {
  const auto* type = bundle_->compiled->FindSignalType(draft.signal_type);
  Resolved resolved;
  resolved.expires_in = draft.expires_in              ? *draft.expires_in
                        : type->has_expires_default() ? policy::ToMillis(type->expires_default())
                                                      : policy::ToMillis(type->expires_max());
  if (resolved.expires_in < policy::ToMillis(type->expires_min()) ||
      resolved.expires_in > policy::ToMillis(type->expires_max())) {
    return InvalidArgument("EXPIRY_OUT_OF_RANGE", "expires_in",
                           "signals of type " + draft.signal_type + " live " +
                               std::to_string(type->expires_min().seconds()) + " to " +
                               std::to_string(type->expires_max().seconds()) + " seconds");
  }
  for (const auto& section : draft.sections) {
    resolved.section_subjects.push_back(PlacesOf(section.subjects, draft.subjects.size()));
  }
  SCHAKEL_ASSIGN(const auto self, directory_.Get(sender_.oin));
  SCHAKEL_ASSIGN(const auto sender, PartyOf(self.organisation));
  for (size_t i = 0; i < draft.recipients.size(); ++i) {
    auto recipient = ResolveRecipient(draft.recipients[i], resolved);
    if (!recipient.ok()) {
      return AtField(recipient.error(), "recipients[" + std::to_string(i) + "]");
    }
    resolved.plan.push_back(std::move(recipient).value());
    PlanByRules(draft, sender, now, i, resolved);
  }
  return resolved;
}

Result<std::vector<PlannedRecipient>> Composer::Plan(const SignalDraft& draft, Millis now) {
  SCHAKEL_TRY(CheckDraft(draft));
  SCHAKEL_ASSIGN(auto resolved, Resolve(draft, now));
  return std::move(resolved.plan);
}

Result<v1::PreflightRequest> Composer::PreflightOf(const SignalDraft& draft, Millis now) {
  SCHAKEL_TRY(CheckDraft(draft));
  SCHAKEL_ASSIGN(const auto resolved, Resolve(draft, now));
  v1::PreflightRequest request;
  request.set_request_id(NewRequestId().str());
  request.set_signal_type(draft.signal_type);
  request.set_purpose(draft.purpose);
  if (draft.case_id) request.set_case_id(draft.case_id->str());
  for (const auto& recipient : resolved.plan) FillRecipient(recipient, request.add_recipients());
  const auto labels = NewLabels(draft.subjects.size());
  for (size_t i = 0; i < draft.subjects.size(); ++i) {
    auto* subject = request.add_subjects();
    subject->set_label(labels[i].str());
    *subject->mutable_ref() = draft.subjects[i];
  }
  for (size_t i = 0; i < draft.sections.size(); ++i) {
    *request.add_sections() = MetaOf(draft, i, resolved.section_subjects[i], labels, *bundle_);
  }
  return request;
}

}  // namespace schakel::sdk
