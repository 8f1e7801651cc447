// The log: what happened can be read by who may, and proved to everybody.
#include <map>

#include "broker/merkle/entry.h"
#include "clients/sdk/export_verification.h"
#include "clients/sdk/pseudonym_client.h"
#include "tests/e2e/story.h"
#include "tests/support/paths.h"

namespace schakel::e2e {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

class Audit : public RegionTest {
 protected:
  static constexpr size_t kPerson = 30;
  // Something of everything: arrears that are read, a report of the police, a care signal that is
  // denied, permitted, and withheld after a withdrawal.
  static void SetUpTestSuite() {
    RegionTest::SetUpTestSuite();
    arrears_ = new sdk::SendResult(Sent(Send(As("corporation"), Arrears())));
    Read("debt-relief");
    sdk::SignalDraft report;
    report.signal_type = "domestic-violence-report";
    report.purpose = "stop-domestic-violence";
    report.recipients.push_back(ToFunction("domestic-violence-centre", "dordrecht"));
    report.subjects.push_back(Person());
    report.sections.push_back(Section("social", "wmo-veilig-thuis", R"({"household_size":2})"));
    Sent(Send(As("police"), report));
    Read("centre");
    Sent(Send(As("care"), Avoidance(Person())));
    const auto consent = RecordConsent(As("care"), Person());
    ASSERT_TRUE(consent.ok()) << Why(consent);
    Sent(Send(As("care"), Avoidance(Person())));
    Read("team");
    Sent(Send(As("care"), Avoidance(Person())));
    ASSERT_OK_AND(const auto withdrawn, Withdraw(As("care"), *consent));
    // Exports and proofs reach to the last checkpoint, which is signed once a second.
    ASSERT_OK_AND(auto* audit, As("care").audit());
    ASSERT_OK(audit->Prove(withdrawn.receipt));
  }
  static void TearDownTestSuite() {
    delete arrears_;
    RegionTest::TearDownTestSuite();
  }
  static v1::SubjectRef Person() {
    const auto person = PersonBy(region(), "police", kPerson);
    EXPECT_TRUE(person.ok()) << Why(person);
    return person.ok() ? *person : v1::SubjectRef();
  }
  static sdk::SendResult Sent(Result<sdk::SendResult> sent) {
    EXPECT_TRUE(sent.ok() && sent->accepted()) << Why(sent);
    return std::move(sent).value();
  }
  static void Read(const std::string& name) {
    const auto status = EmptyInbox(As(name));
    EXPECT_TRUE(status.ok()) << Why(status);
  }
  static inline const sdk::SendResult* arrears_ = nullptr;
};

TEST_F(Audit, AQueryFindsByEachOfItsFieldsAndIsARecordItself) {
  sdk::Session& auditor = As("region-auditor");
  ASSERT_OK_AND(const auto all, QueryAs(auditor, {}));
  ASSERT_GT(all.size(), 30u);
  for (size_t i = 1; i < all.size(); ++i) EXPECT_EQ(all[i].index(), all[i - 1].index() + 1);
  EXPECT_EQ(all[0].kind(), v1::RECORD_KIND_GENESIS);
  const auto matching = [&](const auto& matches) {
    std::vector<uint64_t> indexes;
    for (const auto& record : all) {
      if (matches(record)) indexes.push_back(record.index());
    }
    return indexes;
  };
  const auto found = [&](const v1::RecordFilter& filter) {
    std::vector<uint64_t> indexes;
    const auto records = QueryAs(auditor, filter);
    EXPECT_TRUE(records.ok()) << Why(records);
    for (const auto& record : *records) {
      if (record.index() <= all.back().index()) indexes.push_back(record.index());
    }
    return indexes;
  };
  v1::RecordFilter filter;
  filter.set_organisation(OinOf("care").str());
  EXPECT_THAT(found(filter), Not(IsEmpty()));
  EXPECT_EQ(found(filter),
            matching([&](const auto& r) { return r.organisation() == filter.organisation(); }));
  filter.Clear();
  filter.set_actor("user-of-police");
  EXPECT_EQ(found(filter), matching([&](const auto& r) { return r.actor() == filter.actor(); }));
  filter.Clear();
  filter.add_kinds(v1::RECORD_KIND_WITHDRAWAL);
  EXPECT_EQ(found(filter).size(), 1u);
  filter.Clear();
  filter.set_ground("wgs-debt");
  EXPECT_THAT(found(filter), Not(IsEmpty()));
  filter.Clear();
  filter.set_outcome(v1::OUTCOME_DENIED);
  EXPECT_EQ(found(filter),
            matching([](const auto& r) { return r.outcome() == v1::OUTCOME_DENIED; }));
  filter.Clear();
  *filter.mutable_subject() = Person();
  EXPECT_GT(found(filter).size(), 5u);
  filter.Clear();
  filter.mutable_from()->set_seconds(4'000'000'000);
  EXPECT_THAT(found(filter), IsEmpty());

  filter.Clear();
  filter.add_kinds(v1::RECORD_KIND_QUERY);
  filter.set_organisation(OinOf("region-auditor").str());
  EXPECT_GT(QueryAs(auditor, filter)->size(), 7u);
}

TEST_F(Audit, ASubjectReportTellsWhoExchangedWhatOnWhichGround) {
  ASSERT_OK_AND(const auto person, PersonBy(region(), "region-auditor", kPerson));
  EXPECT_TRUE(sdk::SameSubject(person, Person()));
  ASSERT_OK_AND(auto* audit, As("region-auditor").audit());
  v1::SubjectReportRequest request;
  *request.mutable_subject() = person;
  request.set_ground("AVG art. 15");
  request.set_reference("request-1");
  request.set_page_size(3);
  ASSERT_OK_AND(const auto report, audit->SubjectReportAll(request));
  std::map<v1::RecordKind, int> kinds;
  for (const auto& entry : report.entries()) {
    ++kinds[entry.kind()];
    EXPECT_FALSE(entry.organisation().empty());
    EXPECT_FALSE(entry.organisation_name().empty());
  }
  EXPECT_EQ(kinds[v1::RECORD_KIND_PUBLISH], 4) << report.DebugString();
  EXPECT_EQ(kinds[v1::RECORD_KIND_DELIVERY], 2);
  EXPECT_EQ(kinds[v1::RECORD_KIND_STATEMENT], 1);
  EXPECT_EQ(kinds[v1::RECORD_KIND_WITHDRAWAL], 1);
  // Nothing of the tenant whose signal stands in the same log.
  for (const auto& entry : report.entries()) EXPECT_NE(entry.signal_type(), "rent-arrears");
}

TEST_F(Audit, ScopeOwnGivesNoRecordOfOthersByAnyFilter) {
  sdk::Session& own = As("auditor");
  const auto covered = [&](const std::string& oin) {
    return oin == OinOf("police").str() || oin == OinOf("auditor").str();
  };
  std::vector<v1::RecordFilter> filters(6);
  filters[1].set_organisation(OinOf("corporation").str());
  filters[2].set_signal_id(arrears_->entry.signal_id());
  *filters[3].mutable_subject() = Person();
  filters[4].set_ground("wgs-debt");
  filters[5].add_kinds(v1::RECORD_KIND_PUBLISH);
  for (size_t i = 0; i < filters.size(); ++i) {
    ASSERT_OK_AND(const auto records, QueryAs(own, filters[i]));
    for (const auto& record : records) {
      EXPECT_TRUE(covered(record.organisation())) << i << " " << record.DebugString();
    }
    const bool nothing = i == 1 || i == 2 || i == 4;
    EXPECT_EQ(records.empty(), nothing) << i;
  }
  ASSERT_OK_AND(auto* audit, own.audit());
  v1::ExportRequest request;
  request.set_request_id(sdk::NewRequestId().str());
  request.set_with_details(true);
  request.set_ground("internal-audit");
  request.set_reference("own");
  const auto file = region().folder() / "own.export";
  ASSERT_OK(audit->Export(request, file));
  const auto key = merkle::VerifierKey::Parse(region().log_key());
  ASSERT_TRUE(key.ok());
  ASSERT_OK_AND(const auto report, sdk::VerifyExport(file, *key, std::nullopt));
  EXPECT_TRUE(report.verified);
  EXPECT_GT(report.summary.records, 0u);
  EXPECT_LT(report.summary.records, report.summary.entries);
  // The bytes of an export in scope own hold nothing of the corporation but commitments.
  EXPECT_THAT(testing::ReadFile(file), Not(::testing::HasSubstr("user-of-corporation")));
}

TEST_F(Audit, AReceiptOpensItsLeafAndTheLogProvesIt) {
  ASSERT_OK_AND(auto* audit, As("corporation").audit());
  const auto& receipts = arrears_->entry.answer().accepted().receipts();
  ASSERT_EQ(receipts.size(), 1);
  ASSERT_OK_AND(const auto proven, audit->Prove(receipts[0]));
  v1::Record record;
  ASSERT_TRUE(record.ParseFromString(receipts[0].record()));
  EXPECT_EQ(record.signal_id(), arrears_->entry.signal_id());
  EXPECT_EQ(record.organisation(), OinOf("corporation").str());
  const auto salt = merkle::RecordSalt::From(receipts[0].salt());
  ASSERT_TRUE(salt.has_value());
  EXPECT_EQ(merkle::EntryOf(*salt, receipts[0].record()), proven.entry);
  const auto key = merkle::VerifierKey::Parse(region().log_key());
  ASSERT_OK(merkle::VerifyProofBundle(proven.proof, proven.entry, *key));
  // A receipt with another byte proves nothing.
  auto forged = receipts[0];
  (*forged.mutable_record())[5] = static_cast<char>(forged.record()[5] ^ 1);
  const auto refused = audit->Prove(forged);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "COMMITMENT_MISMATCH");
}

TEST_F(Audit, ALaterCheckpointContinuesTheOneBefore) {
  ASSERT_OK_AND(auto* audit, As("debt-relief").audit());
  ASSERT_OK_AND(const auto first, audit->Checkpoint());
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), Arrears()));
  // Proving waits until a checkpoint covers the new record; each look checks consistency.
  ASSERT_OK_AND(const auto proven, audit->Prove(sent.entry.answer().accepted().receipts(0)));
  EXPECT_GT(proven.look.checkpoint.head.size, first.checkpoint.head.size);
  ASSERT_TRUE(proven.look.remembered.has_value());
  EXPECT_EQ(proven.look.checkpoint.origin, region().region() + "/schakel/1");
  ASSERT_OK(EmptyInbox(As("debt-relief")));
}

TEST_F(Audit, TheWholeExportVerifiesAndAChangedOneDoesNot) {
  ASSERT_OK_AND(auto* audit, As("region-auditor").audit());
  v1::ExportRequest request;
  request.set_request_id(sdk::NewRequestId().str());
  request.set_with_details(true);
  request.set_ground("internal-audit");
  request.set_reference("yearly");
  const auto file = region().folder() / "log.export";
  ASSERT_OK(audit->Export(request, file));
  ASSERT_OK_AND(auto* memory, As("region-auditor").checkpoints());
  ASSERT_OK_AND(const auto report, sdk::VerifyExport(file, *memory));
  EXPECT_TRUE(report.verified) << report.sentence_en;
  EXPECT_EQ(report.summary.records, report.summary.entries);
  EXPECT_GT(report.summary.details, 0u);

  std::string bytes = testing::ReadFile(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  testing::WriteFile(region().folder() / "changed.export", bytes);
  ASSERT_OK_AND(const auto changed,
                sdk::VerifyExport(region().folder() / "changed.export", *memory));
  EXPECT_FALSE(changed.verified);
}

TEST_F(Audit, ATilesFolderHoldsAgainstACheckerThatSharesNoCode) {
  ASSERT_OK_AND(auto* audit, As("region-auditor").audit());
  const auto folder = region().folder() / "tiles";
  ASSERT_OK_AND(const auto look, audit->ExportTiles(folder));
  EXPECT_GT(look.checkpoint.head.size, 30u);
  const auto check = [&] {
    return testing::RunProgram({.program = "python3",
                                .args = {checkout::SourcePath("tests/tlog/check_tlog_tiles.py"),
                                         folder.string(), region().log_key()}});
  };
  const auto good = check();
  EXPECT_EQ(good.code, 0) << good.out << good.err;
  const auto tile = folder / "tile" / "0" / ("000.p") / std::to_string(look.checkpoint.head.size);
  ASSERT_TRUE(std::filesystem::exists(tile)) << tile;
  std::string bytes = testing::ReadFile(tile);
  bytes[40] = static_cast<char>(bytes[40] ^ 1);
  testing::WriteFile(tile, bytes);
  EXPECT_EQ(check().code, 1);
}

TEST_F(Audit, EveryDecisionOfTheRunComesOutTheSameWhenItIsRecomputed) {
  ASSERT_OK_AND(auto* policy, As("registrar").policy());
  uint64_t recomputed = 0;
  std::vector<std::string> differences;
  ASSERT_OK(policy->Replay(0, std::nullopt, [&](const v1::ReplayResponse& page) {
    recomputed += page.recomputed();
    for (const auto& difference : page.differences()) {
      differences.push_back(difference.ShortDebugString());
    }
    return true;
  }));
  EXPECT_THAT(differences, IsEmpty());
  EXPECT_GT(recomputed, 8u);
}

}  // namespace
}  // namespace schakel::e2e
