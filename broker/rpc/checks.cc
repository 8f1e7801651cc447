#include "broker/rpc/checks.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <vector>

#include "broker/base/ids.h"
#include "broker/base/limits.h"
#include "broker/machine/envelope.h"

namespace schakel::rpc {

Status CheckSized(BytesView raw, size_t size, const std::string& field) {
  if (raw.size() == size) return {};
  return InvalidArgument(
      raw.empty() ? "FIELD_MISSING" : "FIELD_INVALID", field,
      std::to_string(size) + " bytes expected, " + std::to_string(raw.size()) + " given");
}

namespace {

Status CheckText(const std::string& text, size_t max, const std::string& field, bool required) {
  if (required && text.empty()) return InvalidArgument("FIELD_MISSING", field, "is required");
  if (text.size() <= max) return {};
  return InvalidArgument("TOO_LARGE", field, "at most " + std::to_string(max) + " bytes expected");
}

Status CheckCase(const std::string& case_id, const std::string& field) {
  return case_id.empty() ? Status() : CheckSized(case_id, 16, field);
}

Status CheckAxis(const v1::PartyAxis& axis, const std::string& field) {
  switch (axis.party_case()) {
    case v1::PartyAxis::kSector:
      return machine::CheckCode(axis.sector(), field + ".sector");
    case v1::PartyAxis::kFunction:
      SCHAKEL_TRY(machine::CheckCode(axis.function().function(), field + ".function.function"));
      if (axis.function().area().empty()) return {};
      return machine::CheckCode(axis.function().area(), field + ".function.area");
    case v1::PartyAxis::kOrganisation:
      return machine::CheckOin(axis.organisation(), field + ".organisation");
    case v1::PartyAxis::PARTY_NOT_SET:
      return {};
  }
  return {};
}

Error NotSaid(const std::string& field) {
  return InvalidArgument("FIELD_MISSING", field, "is required");
}

// BCP 47: letters, digits and hyphens.
Status CheckLanguage(const std::string& language, const std::string& field) {
  SCHAKEL_TRY(CheckText(language, limits::kLanguageBytesMax, field, true));
  const bool good = std::all_of(language.begin(), language.end(), [](unsigned char c) {
    return (c < 0x80 && std::isalnum(c) != 0) || c == '-';
  });
  if (good) return {};
  return InvalidArgument("FIELD_INVALID", field, "a language such as nl or nl-NL expected");
}

Status CheckRecipients(const v1::PreflightRequest& r) {
  std::set<std::string> given;
  for (int i = 0; i < r.recipients_size(); ++i) {
    const std::string field = "recipients[" + std::to_string(i) + "]";
    SCHAKEL_TRY(CheckRecipient(r.recipients(i), field));
    const std::string& oin = r.recipients(i).oin();
    if (!oin.empty() && !given.insert(oin).second) {
      return InvalidArgument("FIELD_INVALID", field + ".oin", "a recipient stands twice");
    }
  }
  return {};
}

Status CheckSubjects(const v1::PreflightRequest& r) {
  std::set<Bytes> labels;
  for (int i = 0; i < r.subjects_size(); ++i) {
    const std::string field = "subjects[" + std::to_string(i) + "]";
    SCHAKEL_TRY(CheckSized(r.subjects(i).label(), 16, field + ".label"));
    if (!labels.insert(r.subjects(i).label()).second) {
      return InvalidArgument("FIELD_INVALID", field + ".label", "a label stands twice");
    }
    SCHAKEL_TRY(machine::CheckSubjectRef(r.subjects(i).ref(), field + ".ref"));
  }
  return {};
}

// As in an envelope, but for the reference in an identity-bsn section: it may be left out.
Status CheckSections(const v1::PreflightRequest& r) {
  for (int i = 0; i < r.sections_size(); ++i) {
    const std::string field = "sections[" + std::to_string(i) + "]";
    const auto& section = r.sections(i);
    SCHAKEL_TRY(machine::CheckSectionMeta(section, i, {}));
    std::set<Bytes> about(section.subject_labels().begin(), section.subject_labels().end());
    std::vector<const v1::SubjectRef*> refs;
    for (const auto& subject : r.subjects()) {
      if (about.contains(subject.label())) refs.push_back(&subject.ref());
    }
    if (refs.size() != static_cast<size_t>(section.subject_labels_size())) {
      return InvalidArgument("FIELD_INVALID", field + ".subject_labels",
                             "distinct labels of the request's subjects expected");
    }
    if (!section.has_subject_ref()) continue;
    if (section.category() != "identity-bsn") {
      return InvalidArgument("FIELD_INVALID", field + ".subject_ref",
                             "expected in an identity-bsn section and in no other");
    }
    if (refs.size() != 1 ||
        refs[0]->SerializeAsString() != section.subject_ref().SerializeAsString()) {
      return InvalidArgument("SUBJECT_MISMATCH", field + ".subject_ref",
                             "differs from the reference of that one subject");
    }
  }
  return {};
}

}  // namespace

Status CheckRecipient(const v1::RoutedRecipient& recipient, const std::string& field) {
  if (recipient.has_function()) {
    SCHAKEL_TRY(machine::CheckCode(recipient.function().function(), field + ".function.function"));
    SCHAKEL_TRY(machine::CheckCode(recipient.function().area(), field + ".function.area"));
    if (recipient.oin().empty()) return {};
  }
  return machine::CheckOin(recipient.oin(), field + ".oin");
}

Status CheckPreflight(const v1::PreflightRequest& r) {
  SCHAKEL_TRY(CheckSized(r.request_id(), 16, "request_id"));
  SCHAKEL_TRY(machine::CheckCode(r.signal_type(), "signal_type"));
  SCHAKEL_TRY(machine::CheckCode(r.purpose(), "purpose"));
  SCHAKEL_TRY(CheckCase(r.case_id(), "case_id"));
  auto count = [](int n, size_t max, const char* field) -> Status {
    if (n == 0) return InvalidArgument("FIELD_MISSING", field, "at least one expected");
    if (static_cast<size_t>(n) <= max) return {};
    return InvalidArgument("TOO_LARGE", field, "at most " + std::to_string(max) + " expected");
  };
  SCHAKEL_TRY(count(r.recipients_size(), limits::kRecipientsMax, "recipients"));
  SCHAKEL_TRY(count(r.subjects_size(), limits::kSubjectsMax, "subjects"));
  SCHAKEL_TRY(count(r.sections_size(), limits::kSectionsMax, "sections"));
  SCHAKEL_TRY(CheckRecipients(r));
  SCHAKEL_TRY(CheckSubjects(r));
  SCHAKEL_TRY(CheckSections(r));
  return machine::CheckKnown(r, "");
}

Status CheckAttach(const v1::AttachSubjectRequest& r) {
  SCHAKEL_TRY(CheckSized(r.request_id(), 16, "request_id"));
  SCHAKEL_TRY(CheckSized(r.signal_id(), 16, "signal_id"));
  SCHAKEL_TRY(CheckSized(r.subject_label(), 16, "subject_label"));
  SCHAKEL_TRY(machine::CheckOin(r.sender(), "sender"));
  SCHAKEL_TRY(machine::CheckSubjectRef(r.subject(), "subject"));
  return machine::CheckKnown(r, "");
}

Status CheckStatement(const v1::Statement& s) {
  SCHAKEL_TRY(CheckSized(s.statement_id(), 16, "statement.statement_id"));
  SCHAKEL_TRY(CheckText(s.region(), limits::kCodeBytesMax, "statement.region", true));
  if (s.kind() == v1::STATEMENT_KIND_UNSPECIFIED) return NotSaid("statement.kind");
  if (!v1::StatementKind_IsValid(s.kind())) {
    return InvalidArgument("FIELD_INVALID", "statement.kind", "consent or objection expected");
  }
  SCHAKEL_TRY(machine::CheckSubjectRef(s.subject(), "statement.subject"));
  SCHAKEL_TRY(CheckAxis(s.sender(), "statement.sender"));
  SCHAKEL_TRY(CheckAxis(s.recipient(), "statement.recipient"));
  SCHAKEL_TRY(CheckCase(s.case_id(), "statement.case_id"));
  if (!s.category().empty()) SCHAKEL_TRY(machine::CheckCode(s.category(), "statement.category"));
  if (!s.purpose().empty()) SCHAKEL_TRY(machine::CheckCode(s.purpose(), "statement.purpose"));
  if (s.not_before_ms() == 0) return NotSaid("statement.not_before_ms");
  if (s.not_after_ms() == 0) return NotSaid("statement.not_after_ms");
  if (static_cast<size_t>(s.kept_statement_ids_size()) > limits::kKeptStatementsMax) {
    return InvalidArgument("TOO_LARGE", "statement.kept_statement_ids", "at most 64 expected");
  }
  if (s.kept_statement_ids_size() > 0 && s.kind() != v1::STATEMENT_KIND_OBJECTION) {
    return InvalidArgument("FIELD_INVALID", "statement.kept_statement_ids",
                           "only an objection keeps consents");
  }
  for (const auto& kept : s.kept_statement_ids()) {
    SCHAKEL_TRY(CheckSized(kept, 16, "statement.kept_statement_ids"));
  }
  if (s.grantor() == v1::GRANTOR_UNSPECIFIED) return NotSaid("statement.grantor");
  if (!v1::Grantor_IsValid(s.grantor())) {
    return InvalidArgument("FIELD_INVALID", "statement.grantor", "who spoke expected");
  }
  if (s.identity_check() == v1::IDENTITY_CHECK_UNSPECIFIED) {
    return NotSaid("statement.identity_check");
  }
  if (!v1::IdentityCheck_IsValid(s.identity_check())) {
    return InvalidArgument("FIELD_INVALID", "statement.identity_check",
                           "how the person was identified expected");
  }
  SCHAKEL_TRY(
      CheckText(s.form_version(), limits::kFormVersionBytesMax, "statement.form_version", true));
  SCHAKEL_TRY(CheckLanguage(s.language(), "statement.language"));
  if (!s.evidence_digest().empty()) {
    SCHAKEL_TRY(CheckSized(s.evidence_digest(), 32, "statement.evidence_digest"));
  }
  SCHAKEL_TRY(machine::CheckOin(s.recorder(), "statement.recorder"));
  SCHAKEL_TRY(CheckText(s.actor(), limits::kActorBytesMax, "statement.actor", true));
  return CheckSized(s.key_set_digest(), 32, "statement.key_set_digest");
}

Status CheckWithdrawal(const v1::Withdrawal& w) {
  SCHAKEL_TRY(CheckSized(w.withdrawal_id(), 16, "withdrawal.withdrawal_id"));
  SCHAKEL_TRY(CheckSized(w.statement_id(), 16, "withdrawal.statement_id"));
  SCHAKEL_TRY(CheckText(w.region(), limits::kCodeBytesMax, "withdrawal.region", true));
  if (w.time_ms() == 0) return NotSaid("withdrawal.time_ms");
  SCHAKEL_TRY(machine::CheckOin(w.recorder(), "withdrawal.recorder"));
  SCHAKEL_TRY(CheckText(w.actor(), limits::kActorBytesMax, "withdrawal.actor", true));
  return CheckSized(w.key_set_digest(), 32, "withdrawal.key_set_digest");
}

Status CheckConsentQuestion(const v1::CheckConsentRequest& r) {
  SCHAKEL_TRY(CheckSized(r.request_id(), 16, "request_id"));
  SCHAKEL_TRY(machine::CheckSubjectRef(r.subject(), "subject"));
  SCHAKEL_TRY(CheckRecipient(r.recipient(), "recipient"));
  SCHAKEL_TRY(machine::CheckCode(r.category(), "category"));
  SCHAKEL_TRY(machine::CheckCode(r.purpose(), "purpose"));
  SCHAKEL_TRY(CheckCase(r.case_id(), "case_id"));
  return machine::CheckKnown(r, "");
}

}  // namespace schakel::rpc
