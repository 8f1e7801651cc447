#include "broker/query/past_event.h"

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/machine/envelope.h"
#include "broker/machine/keys.h"
#include "broker/query/reading.h"

namespace schakel::query {

namespace {

// The sections that details ask about, by place in the envelope; others stay empty.
struct Sections {
  std::vector<policy::SectionFacts> facts;
  std::vector<v1::SectionMeta> metas;
};

Sections SectionsOf(const policy::CompiledBundle& bundle, const std::vector<PastRecord>& event) {
  Sections sections;
  for (size_t subject = 0; subject < event.size(); ++subject) {
    for (const auto& question : event[subject].detail.questions()) {
      size_t place = question.section();
      if (place >= sections.facts.size()) {
        sections.facts.resize(place + 1);
        sections.metas.resize(place + 1);
      }
      auto& facts = sections.facts[place];
      std::vector<std::string> attested(question.attested_conditions().begin(),
                                        question.attested_conditions().end());
      facts.category = bundle.Category(question.category());
      facts.ground = bundle.Ground(question.ground());
      facts.attested = bundle.Conditions(attested);
      auto number = static_cast<uint16_t>(subject);
      if (std::find(facts.subjects.begin(), facts.subjects.end(), number) == facts.subjects.end()) {
        facts.subjects.push_back(number);
      }
      sections.metas[place].set_category(question.category());
      sections.metas[place].set_ground(question.ground());
    }
  }
  return sections;
}

// LIMIT: places in an envelope; a detail that names more was not written by the machine.
bool PlacesAreSane(const std::vector<PastRecord>& event) {
  for (const auto& past : event) {
    for (const auto& question : past.detail.questions()) {
      if (question.section() >= limits::kSectionsMax ||
          question.recipient() >= static_cast<uint32_t>(past.detail.recipients_size())) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

Result<state::v1::OrganisationVersion> PastDecider::EntryAt(const std::string& oin,
                                                            uint64_t version) {
  auto id = OrganisationId::From(oin);
  if (!id) return Damaged("a detail names no organisation");
  SCHAKEL_ASSIGN(auto entry, Read<state::v1::OrganisationVersion>(
                                 state_, store::Family::kRegistry,
                                 machine::keys::OrganisationVersion(*id, version)));
  if (!entry) return Damaged("a version of an entry that a detail names is missing");
  return *std::move(entry);
}

Result<std::optional<machine::SubjectStatements>> PastDecider::StatementsAt(
    const policy::CompiledBundle& bundle, const v1::Detail& detail) const {
  machine::SubjectStatements statements;
  for (const auto& looked_at : detail.statements()) {
    auto id = StatementId::From(looked_at.statement_id());
    if (!id) return Damaged("a detail names no statement");
    SCHAKEL_ASSIGN(auto stored, Read<state::v1::StatementState>(state_, store::Family::kRegistry,
                                                                machine::keys::Statement(*id)));
    if (!stored || stored->destroyed_us() != 0) {
      return std::optional<machine::SubjectStatements>();
    }
    stored->set_withdrawn_us(looked_at.withdrawn_us());  // as it stood
    statements.ids.push_back(*id);
    statements.interned.push_back(bundle.Intern(machine::ToConsentFact(*stored)));
    statements.states.push_back(*std::move(stored));
  }
  return std::optional(std::move(statements));
}

Status PastDecider::DecideRecipient(const std::vector<PastRecord>& event,
                                    const machine::SignalQuestion& question, uint32_t place,
                                    std::vector<std::vector<Redecided>>* out) {
  const v1::Detail& first = event.front().detail;
  const auto& recipient = first.recipients(static_cast<int>(place));
  std::vector<uint32_t> offered;
  for (const auto& past : event) {
    for (const auto& asked : past.detail.questions()) {
      if (asked.recipient() == place) offered.push_back(asked.section());
    }
  }
  std::sort(offered.begin(), offered.end());
  offered.erase(std::unique(offered.begin(), offered.end()), offered.end());
  if (offered.empty()) return {};  // denied before the rules were asked

  if (static_cast<int>(place) >= first.versions().recipient_entries_size()) {
    return Damaged("a detail lacks the version of a recipient's entry");
  }
  SCHAKEL_ASSIGN(auto entry, EntryAt(recipient.oin(),
                                     first.versions().recipient_entries(static_cast<int>(place))));
  // At publish a function must be the recipient's by the bundle that decides.
  bool resolved = true;
  if (recipient.has_function() && event.front().record.kind() == v1::RECORD_KIND_PUBLISH) {
    auto oin =
        question.bundle->Resolve({recipient.function().function(), recipient.function().area()});
    resolved = oin && oin->str() == recipient.oin();
  }
  auto decided =
      machine::DecideSlot(question, &facts_, entry,
                          recipient.has_function() ? &recipient.function() : nullptr, offered);
  for (size_t subject = 0; subject < event.size(); ++subject) {
    const auto& questions = event[subject].detail.questions();
    for (int i = 0; i < questions.size(); ++i) {
      if (questions[i].recipient() != place) continue;
      auto& now = (*out)[subject][static_cast<size_t>(i)];
      if (!resolved) {
        now.reason = "FUNCTION_UNRESOLVED";
        continue;
      }
      auto at = std::lower_bound(offered.begin(), offered.end(), questions[i].section());
      const auto& subjects = question.sections[questions[i].section()].subjects;
      auto which = std::find(subjects.begin(), subjects.end(), static_cast<uint16_t>(subject));
      const policy::Decision& answer =
          decided.engine.sections[static_cast<size_t>(at - offered.begin())]
              .subjects[static_cast<size_t>(which - subjects.begin())];
      now.outcome = answer.permitted ? v1::OUTCOME_PERMITTED : v1::OUTCOME_DENIED;
      now.reason = std::string(policy::ReasonName(answer.reason));
    }
  }
  return {};
}

Result<std::optional<std::vector<std::vector<Redecided>>>> PastDecider::Decide(
    const std::vector<PastRecord>& event) {
  const v1::Record& record = event.front().record;
  const v1::Detail& detail = event.front().detail;
  if (!PlacesAreSane(event)) return Damaged("a detail asks about a section that can't be");
  bool publish = record.kind() == v1::RECORD_KIND_PUBLISH;

  machine::SignalQuestion question;
  if (by_) {
    question.bundle = by_->bundle;
    question.bundle_digest = by_->digest;
  } else {
    auto digest = Digest::From(record.bundle_digest());
    if (!digest) return Damaged("a decision names no bundle");
    SCHAKEL_ASSIGN(question.bundle, bundles_.Of(state_, *digest));
    question.bundle_digest = *digest;
  }
  const auto& bundle = *question.bundle;
  SCHAKEL_ASSIGN(const auto sender, EntryAt(publish ? record.organisation() : detail.sender(),
                                            detail.versions().sender_entry()));
  question.sender_party = facts_.Party(question.bundle_digest, question.bundle, sender);
  question.sender_version = sender.version();
  question.envelope.signal_type = bundle.SignalType(record.signal_type());
  question.envelope.purpose = bundle.Purpose(record.purpose());
  question.envelope.case_id = CaseId::From(record.case_id());
  question.envelope.case_relation =
      question.envelope.case_id ? policy::CaseRelation::kNamed : policy::CaseRelation::kNone;
  question.envelope.now = Millis(record.time_us() / 1000);
  Sections sections = SectionsOf(bundle, event);
  question.sections = std::move(sections.facts);
  question.metas = std::move(sections.metas);
  for (const auto& past : event) {
    SCHAKEL_ASSIGN(auto statements, StatementsAt(bundle, past.detail));
    if (!statements) return std::optional<std::vector<std::vector<Redecided>>>();
    question.statements.push_back(*std::move(statements));
  }
  for (size_t i = 0; i < event.size(); ++i) {
    question.facts.push_back(
        {machine::IsLinked(event[i].detail.subject()), false, question.statements[i].interned});
  }

  std::vector<std::vector<Redecided>> out;
  for (const auto& past : event) {
    out.emplace_back(static_cast<size_t>(past.detail.questions_size()));
  }
  for (int place = 0; place < detail.recipients_size(); ++place) {
    SCHAKEL_TRY(DecideRecipient(event, question, static_cast<uint32_t>(place), &out));
  }
  return std::optional(std::move(out));
}

}  // namespace schakel::query
