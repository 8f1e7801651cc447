#include "tests/e2e/story.h"

#include <nlohmann/json.hpp>

#include "broker/base/check.h"
#include "broker/crypto/random.h"
#include "clients/sdk/files.h"
#include "tests/support/paths.h"

namespace schakel::e2e {

std::string TestBsn(size_t place) {
  static const auto list = nlohmann::json::parse(
      testing::ReadFile(checkout::SourcePath("tests/vectors/identifiers/rvig-test-bsn.json")));
  return list.at("valid").at(place).get<std::string>();
}

Result<v1::SubjectRef> PersonBy(Region& region, const std::string& who, size_t place) {
  SCHAKEL_ASSIGN(auto* client, region.As(who).pseudonyms());
  return client->ComputeOne(TestBsn(place));
}

sdk::DraftSection Section(const std::string& category, const std::string& ground,
                          const std::string& content, std::vector<uint16_t> subjects) {
  sdk::DraftSection section;
  section.category = category;
  section.ground = ground;
  section.content = crypto::SecretBytes::CopyOf(content);
  section.subjects = std::move(subjects);
  return section;
}

std::string IdentityOf(const std::string& family_name) {
  return R"({"family_name":")" + family_name + R"(","birth_date":"1980-01-01"})";
}

sdk::Addressee ToFunction(const std::string& function, const std::string& area) {
  return sdk::Addressee::To(policy::FunctionAtArea{function, area});
}

sdk::SignalDraft Arrears(const std::string& ground) {
  sdk::SignalDraft draft;
  draft.signal_type = "rent-arrears";
  draft.purpose = "prevent-eviction";
  draft.recipients.push_back(ToFunction("debt-relief", "dordrecht"));
  draft.subjects.push_back(sdk::UnlinkedSubject());
  draft.sections.push_back(
      Section("finances", ground, R"({"months_in_arrears":3,"amount_cents":210000})"));
  draft.sections.push_back(Section("housing", ground, R"({"tenancy":"social-rent"})"));
  draft.sections.push_back(Section("identity", ground, IdentityOf("Huurder")));
  return draft;
}

sdk::SignalDraft Avoidance(const v1::SubjectRef& subject) {
  sdk::SignalDraft draft;
  draft.signal_type = "care-avoidance";
  draft.purpose = "coordinate-care";
  draft.recipients.push_back(ToFunction("neighbourhood-team", "dordrecht"));
  draft.subjects.push_back(subject);
  draft.sections.push_back(
      Section("daily-living", "consent", R"({"help_needed":["meals","cleaning"]})"));
  return draft;
}

Result<sdk::SendResult> Send(sdk::Session& from, const sdk::SignalDraft& draft,
                             sdk::WrapChoice choice, const std::string& key) {
  SCHAKEL_ASSIGN(auto composer, from.NewComposer(choice));
  SCHAKEL_ASSIGN(auto* signals, from.signals());
  SCHAKEL_ASSIGN(auto* keys, from.keys());
  return signals->Send(*composer, draft, *keys, key);
}

Result<std::vector<v1::Delivery>> FetchAll(sdk::Session& who, uint32_t most) {
  SCHAKEL_ASSIGN(auto* inbox, who.inbox());
  SCHAKEL_ASSIGN(auto response, inbox->Fetch(sdk::NewRequestId(), most));
  return std::vector<v1::Delivery>(response.deliveries().begin(), response.deliveries().end());
}

Status EmptyInbox(sdk::Session& who) {
  SCHAKEL_ASSIGN(auto* inbox, who.inbox());
  while (true) {
    SCHAKEL_ASSIGN(auto waiting, FetchAll(who));
    if (waiting.empty()) return {};
    for (const auto& delivery : waiting) SCHAKEL_TRY(inbox->Acknowledge(IdOf(delivery)));
  }
}

Result<sdk::OpenedSignal> Open(sdk::Session& who, const v1::Delivery& delivery,
                               sdk::OpenDiagnosis* diagnosis) {
  SCHAKEL_ASSIGN(auto* opener, who.opener());
  return opener->Open(delivery.signal(), sdk::Now(), diagnosis);
}

DeliveryId IdOf(const v1::Delivery& delivery) {
  const auto id = DeliveryId::From(delivery.delivery_id());
  SCHAKEL_CHECK(id.has_value(), "a delivery has an id of 16 bytes");
  return *id;
}

SignalId IdOf(const sdk::SendResult& sent) {
  const auto id = SignalId::From(sent.entry.signal_id());
  SCHAKEL_CHECK(id.has_value(), "a signal has an id of 16 bytes");
  return *id;
}

std::vector<std::string> CategoriesOf(const sdk::OpenedSignal& opened) {
  std::vector<std::string> categories;
  for (const auto& section : opened.sections) categories.push_back(section.meta.category());
  return categories;
}

const v1::RecipientOutcome* OutcomeFor(const v1::SignalAccepted& accepted,
                                       const OrganisationId& recipient) {
  for (const auto& outcome : accepted.outcomes()) {
    if (outcome.recipient() == recipient.str()) return &outcome;
  }
  return nullptr;
}

Result<std::vector<v1::OutcomeEvent>> FeedOf(sdk::Session& sender, const SignalId& signal) {
  SCHAKEL_ASSIGN(auto* signals, sender.signals());
  std::vector<v1::OutcomeEvent> found;
  v1::ReadOutcomesRequest request;
  request.set_page_size(100);
  while (true) {
    SCHAKEL_ASSIGN(auto page, signals->ReadOutcomes(request));
    for (const auto& event : page.events()) {
      if (event.signal_id() == signal.view()) found.push_back(event);
      request.set_after(event.cursor());
    }
    if (!page.more()) return found;
  }
}

Result<std::vector<v1::Record>> QueryAs(sdk::Session& auditor, const v1::RecordFilter& filter) {
  SCHAKEL_ASSIGN(auto* audit, auditor.audit());
  v1::QueryRecordsRequest request;
  *request.mutable_filter() = filter;
  request.set_ground("internal-audit");
  request.set_reference("test");
  request.set_page_size(100);
  std::vector<v1::Record> records;
  bool parsed = true;
  SCHAKEL_TRY(audit->QueryAll(request, [&](const v1::QueryRecordsResponse& page) {
    for (const auto& audited : page.records()) {
      parsed = records.emplace_back().ParseFromString(audited.record()) && parsed;
    }
    return true;
  }));
  SCHAKEL_CHECK(parsed, "records parse");
  return records;
}

Result<std::vector<v1::Record>> RecordsAbout(Region& region, const SignalId& signal) {
  v1::RecordFilter filter;
  filter.set_signal_id(signal.str());
  return QueryAs(region.As("region-auditor"), filter);
}

Result<std::vector<std::string>> DeniedOf(Region& region, const std::string& name) {
  v1::RecordFilter filter;
  filter.set_organisation(region.OinOf(name).str());
  filter.add_kinds(v1::RECORD_KIND_DENIED_ATTEMPT);
  SCHAKEL_ASSIGN(const auto records, QueryAs(region.As("region-auditor"), filter));
  std::vector<std::string> reasons;
  for (const auto& record : records) reasons.push_back(record.reason());
  return reasons;
}

size_t CountKind(const std::vector<v1::Record>& records, v1::RecordKind kind) {
  size_t count = 0;
  for (const auto& record : records) count += record.kind() == kind ? 1 : 0;
  return count;
}

Result<StatementId> RecordConsent(sdk::Session& who, const v1::SubjectRef& subject,
                                  v1::StatementKind kind, Millis lasts) {
  v1::Statement statement;
  statement.set_kind(kind);
  *statement.mutable_subject() = subject;
  const auto now = static_cast<uint64_t>(sdk::Now().count());
  statement.set_not_before_ms(now);
  statement.set_not_after_ms(now + static_cast<uint64_t>(lasts.count()));
  statement.set_grantor(v1::GRANTOR_SUBJECT);
  statement.set_identity_check(v1::IDENTITY_CHECK_DOCUMENT);
  statement.set_form_version("2026-1");
  statement.set_language("nl");
  const auto evidence = sdk::MakeEvidence("a signed form");
  statement.set_evidence_digest(evidence.digest.str());
  SCHAKEL_ASSIGN(const auto recorder, who.recorder());
  SCHAKEL_ASSIGN(auto* keys, who.keys());
  SCHAKEL_ASSIGN(const auto own, keys->Current(sdk::Now()));
  SCHAKEL_ASSIGN(const auto signed_one, sdk::SignStatement(statement, recorder, own, sdk::Now()));
  SCHAKEL_ASSIGN(auto* consent, who.consent());
  SCHAKEL_ASSIGN(const auto recorded, consent->Record(signed_one));
  return signed_one.id;
}

Result<sdk::WithdrawalOutcome> Withdraw(sdk::Session& who, const StatementId& statement) {
  SCHAKEL_ASSIGN(const auto recorder, who.recorder());
  SCHAKEL_ASSIGN(auto* keys, who.keys());
  SCHAKEL_ASSIGN(const auto own, keys->Current(sdk::Now()));
  SCHAKEL_ASSIGN(const auto withdrawal, sdk::SignWithdrawal(statement, recorder, own, sdk::Now()));
  SCHAKEL_ASSIGN(auto* consent, who.consent());
  return consent->Withdraw(withdrawal);
}

}  // namespace schakel::e2e
