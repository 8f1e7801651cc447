// Who sees what of a custodian's log, and that what is shown is what was logged.
#include "broker/custodian/log_desk.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "broker/audit/checkpointer.h"
#include "broker/base/limits.h"
#include "broker/merkle/export_verifier.h"
#include "broker/merkle/proof.h"
#include "broker/store/testing/memory_state.h"
#include "tests/support/test_pki.h"
#include "tests/unit/custodian/sample.h"

namespace schakel::custodian {
namespace {

using store::testing::MemoryState;

constexpr char kOrigin[] = "zhz.example/custodian/1";
const std::string kPoliceOin = testing::TestOin(1000);
const std::string kCareOin = testing::TestOin(2000);
const std::string kAuditor = testing::TestOin(3000);

Requester As(const std::string& oin) {
  return {*OrganisationId::From(oin), "user-of-" + oin, "worker", Bytes(16, '\7')};
}

class Heads final : public store::HeadStore {
 public:
  Result<std::optional<store::Head>> Read() const override { return head; }
  Status CompareAndSwap(const std::optional<store::Head>& expected,
                        const store::Head& next) override {
    if (expected != head) return MakeError(ErrorCode::kAborted, "HEAD_MISMATCH", "another");
    head = next;
    return {};
  }
  std::optional<store::Head> head;
};

class FixedClock final : public Clock {
 public:
  Micros Wall() const override { return kNow + std::chrono::hours(1); }
  Micros Steady() const override { return Micros(0); }
};

class Desk : public ::testing::Test {
 protected:
  // 3 evaluations of the police, 2 of care, one refusal of care, one of nobody's.
  Desk() {
    v1::Record genesis;
    genesis.set_kind(v1::RECORD_KIND_GENESIS);
    log_ = std::move(CustodianLog::Begin(store_, {kOrigin, "zhz.example", Vkey().Encode()}, genesis,
                                         kNow))
               .value();
    for (const auto& oin : {kPoliceOin, kCareOin, kPoliceOin, kCareOin, kPoliceOin}) {
      v1::Record record = RecordAbout(v1::RECORD_KIND_EVALUATION, As(oin));
      record.set_outcome(v1::OUTCOME_PERMITTED);
      record.mutable_facts()->set_count(7);
      Add(std::move(record));
    }
    v1::Record refusal = RecordAbout(v1::RECORD_KIND_DENIED_ATTEMPT, As(kCareOin));
    refusal.set_outcome(v1::OUTCOME_DENIED);
    Add(std::move(refusal));
    v1::Record start;
    start.set_kind(v1::RECORD_KIND_START);
    Add(std::move(start));
    Sign();
    desk_ = std::make_unique<LogDesk>(&store_, log_.get(), &clock_);
  }
  void Add(v1::Record record) {
    const Micros at = kNow + std::chrono::minutes(++minutes_);
    ASSERT_TRUE(log_->Append({}, std::move(record), at).ok());
  }
  void Sign() {
    audit::Checkpointer signer(log_->Signed(), &heads_, &key_, heads_.head);
    ASSERT_TRUE(signer.SignNow().ok());
  }
  merkle::VerifierKey Vkey() const {
    return merkle::VerifierKey::Create(kOrigin, key_.public_key()).value();
  }
  static v1::QueryLogRequest Ask() {
    v1::QueryLogRequest request;
    request.set_request_id(Bytes(16, 'q'));
    return request;
  }
  std::vector<v1::Record> Query(const std::string& oin, bool all, v1::QueryLogRequest request) {
    std::vector<v1::Record> records;
    do {
      v1::QueryLogResponse response;
      const Status done = desk_->Query(As(oin), all, request, &response);
      EXPECT_TRUE(done.ok()) << done.error().message;
      if (!done.ok()) break;
      EXPECT_EQ(response.scope(), all ? "all" : "own");
      for (const auto& each : response.records()) {
        EXPECT_TRUE(records.emplace_back().ParseFromString(each.record()));
      }
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return records;
  }
  Bytes Export(const std::string& oin, bool all, bool entries_only = false) {
    v1::ExportLogRequest request;
    request.set_request_id(Bytes(16, 'e'));
    request.set_entries_only(entries_only);
    auto exporter = desk_->Export(As(oin), all, request);
    EXPECT_TRUE(exporter.ok());
    Bytes out;
    while (exporter.ok() && !exporter->done()) {
      const auto piece = desk_->NextPiece(*exporter);
      EXPECT_TRUE(piece.ok());
      out += piece->frames() + piece->checkpoint();
    }
    return out;
  }
  // The records that an export opens; the first failure.
  Result<merkle::ExportSummary> Verify(const Bytes& bytes, std::vector<v1::Record>* opened) {
    merkle::ExportVerifier verifier(
        Vkey(), [](BytesView) -> Result<std::optional<Digest>> { return std::optional<Digest>(); });
    merkle::ExportReader reader;
    reader.Append(bytes);
    while (true) {
      SCHAKEL_ASSIGN(const auto frame, reader.Next());
      if (!frame) break;
      SCHAKEL_TRY(verifier.Feed(*frame));
      if (frame->kind == merkle::FrameKind::kEntry || opened == nullptr) continue;
      if (!opened->emplace_back().ParseFromString(Bytes(frame->record))) {
        return MakeError(ErrorCode::kDataLoss, "RECORD_MALFORMED", "no record");
      }
    }
    SCHAKEL_ASSIGN(const BytesView note, reader.Finish());
    return verifier.Finish(note);
  }

  crypto::SigningKey key_ = crypto::SigningKey::Generate();
  FixedClock clock_;
  MemoryState store_;
  Heads heads_;
  int minutes_ = 0;
  std::unique_ptr<CustodianLog> log_;
  std::unique_ptr<LogDesk> desk_;
};

TEST_F(Desk, APartnerSeesItsOwnRecordsAndAnAuditorAll) {
  const auto own = Query(kCareOin, false, Ask());
  ASSERT_EQ(own.size(), 3u);
  for (const auto& record : own) EXPECT_EQ(record.organisation(), kCareOin);
  EXPECT_EQ(Query(kAuditor, true, Ask()).size(), 9u) << "and the look before it";
  auto of_others = Ask();
  of_others.mutable_filter()->set_organisation(kPoliceOin);
  EXPECT_TRUE(Query(kCareOin, false, of_others).empty());
  EXPECT_EQ(Query(kAuditor, true, of_others).size(), 3u);
}

TEST_F(Desk, EachFieldOfAFilterHolds) {
  const auto count = [&](const std::function<void(v1::RecordFilter*)>& set) {
    auto request = Ask();
    set(request.mutable_filter());
    return Query(kAuditor, true, request).size();
  };
  EXPECT_EQ(count([](auto* f) { f->add_kinds(v1::RECORD_KIND_EVALUATION); }), 5u);
  EXPECT_EQ(count([](auto* f) { f->set_actor("user-of-" + kCareOin); }), 3u);
  EXPECT_EQ(count([](auto* f) { f->set_outcome(v1::OUTCOME_DENIED); }), 1u);
  const auto third = std::chrono::duration_cast<std::chrono::seconds>(kNow).count() + 180;
  EXPECT_EQ(count([&](auto* f) {
              f->mutable_until()->set_seconds(third);
              f->add_kinds(v1::RECORD_KIND_EVALUATION);
            }),
            2u);
  EXPECT_EQ(count([&](auto* f) {
              f->mutable_from()->set_seconds(third);
              f->add_kinds(v1::RECORD_KIND_EVALUATION);
            }),
            3u);
}

TEST_F(Desk, PagesKeepToTheTreeOfTheFirstAndGiveEachRecordOnce) {
  auto request = Ask();
  request.set_page_size(2);
  const auto paged = Query(kAuditor, true, request);
  ASSERT_EQ(paged.size(), 8u) << "not the looks for later pages";
  for (size_t i = 0; i < paged.size(); ++i) EXPECT_EQ(paged[i].index(), i);
}

TEST_F(Desk, EachLookIsARecordBeforeItIsAnswered) {
  auto request = Ask();
  request.set_ground("AVG art. 57");
  request.set_reference("KL-1");
  v1::QueryLogResponse response;
  ASSERT_TRUE(desk_->Query(As(kAuditor), true, request, &response).ok());
  v1::Record look;
  ASSERT_TRUE(look.ParseFromString(response.receipt().record()));
  EXPECT_EQ(look.kind(), v1::RECORD_KIND_QUERY);
  EXPECT_EQ(look.organisation(), kAuditor);
  EXPECT_EQ(look.facts().rpc(), "QueryLog");
  EXPECT_EQ(look.facts().scope(), "all");
  EXPECT_EQ(look.facts().reference(), "AVG art. 57; KL-1");
  Export(kPoliceOin, false);
  EXPECT_EQ(log_->durable_head().size, 10u);
  store_.FailNextCommit(false);
  v1::QueryLogResponse nothing;
  EXPECT_EQ(desk_->Query(As(kAuditor), true, request, &nothing).error().reason, "NOT_SERVING");
  EXPECT_EQ(nothing.records_size(), 0);
}

TEST_F(Desk, AnExportOpensWhatIsInScopeAndProvesTheWholeTree) {
  std::vector<v1::Record> own, all;
  const auto of_care = Verify(Export(kCareOin, false), &own);
  ASSERT_TRUE(of_care.ok()) << of_care.error().message;
  EXPECT_EQ(of_care->entries, 8u);
  EXPECT_EQ(of_care->records, 3u);
  for (const auto& record : own) EXPECT_EQ(record.organisation(), kCareOin);
  const auto of_auditor = Verify(Export(kAuditor, true), &all);
  ASSERT_TRUE(of_auditor.ok());
  EXPECT_EQ(of_auditor->records, 8u);
  EXPECT_EQ(of_auditor->checkpoint.head, of_care->checkpoint.head);
  const auto entries = Verify(Export(kAuditor, true, true), nullptr);
  ASSERT_TRUE(entries.ok());
  EXPECT_EQ(entries->records, 0u);
}

TEST_F(Desk, AnyWrongByteOfAnExportIsFound) {
  const Bytes good = Export(kAuditor, true);
  ASSERT_TRUE(Verify(good, nullptr).ok());
  for (size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(Verify(bad, nullptr).ok()) << "byte " << i << " of " << good.size();
  }
}

TEST_F(Desk, ProofsAndTilesAreThoseOfTheCheckpoint) {
  const auto older = *heads_.head;
  for (int i = 0; i < 300; ++i) Add(RecordAbout(v1::RECORD_KIND_EVALUATION, As(kPoliceOin)));
  Sign();
  v1::GetLogCheckpointResponse checkpoint;
  ASSERT_TRUE(desk_->Checkpoint(&checkpoint).ok());
  const auto opened = merkle::OpenCheckpoint(checkpoint.checkpoint(), Vkey());
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->head.size, 308u);
  EXPECT_EQ(checkpoint.log_key(), Vkey().Encode());
  v1::GetLogInclusionProofRequest of;
  of.set_index(299);
  v1::GetLogInclusionProofResponse proof;
  ASSERT_TRUE(desk_->InclusionProof(of, &proof).ok());
  EXPECT_TRUE(merkle::VerifyInclusion(299, merkle::LeafHash(*Digest::From(proof.entry())),
                                      *merkle::PathFrom(proof.path()), opened->head)
                  .ok());
  v1::GetLogConsistencyProofRequest between;
  between.set_first_size(older.size);
  v1::GetLogConsistencyProofResponse consistency;
  ASSERT_TRUE(desk_->ConsistencyProof(between, &consistency).ok());
  EXPECT_TRUE(merkle::VerifyConsistency({older.size, older.root}, opened->head,
                                        *merkle::PathFrom(consistency.path()))
                  .ok());
  v1::GetLogTileRequest tile;
  v1::GetLogTileResponse bytes;
  ASSERT_TRUE(desk_->Tile(tile, &bytes).ok());
  EXPECT_EQ(bytes.tile().size(), 256u * 32);
}

struct Bad {
  std::function<void(v1::QueryLogRequest*)> change;
  const char* reason;
  const char* field;
};

TEST_F(Desk, BadRequestsHaveReasonAndFieldAndLeaveNoRecord) {
  const uint64_t size = log_->durable_head().size;
  const std::vector<Bad> cases = {
      {[](auto* r) { r->clear_request_id(); }, "FIELD_MISSING", "request_id"},
      {[](auto* r) { r->set_request_id("short"); }, "FIELD_INVALID", "request_id"},
      {[](auto* r) { r->mutable_filter()->mutable_from()->set_seconds(-1); }, "FIELD_INVALID",
       "filter.from"},
      {[](auto* r) { r->mutable_filter()->mutable_until()->set_nanos(1'000'000'000); },
       "FIELD_INVALID", "filter.until"},
      {[](auto* r) {
         r->mutable_filter()->mutable_from()->set_seconds(9);
         r->mutable_filter()->mutable_until()->set_seconds(9);
       },
       "FIELD_INVALID", "filter.until"},
      {[](auto* r) { r->mutable_filter()->set_organisation("12"); }, "FIELD_INVALID",
       "filter.organisation"},
      {[](auto* r) { r->mutable_filter()->set_actor(std::string(129, 'x')); }, "TOO_LARGE",
       "filter.actor"},
      {[](auto* r) { r->mutable_filter()->add_kinds(v1::RECORD_KIND_UNSPECIFIED); },
       "FIELD_INVALID", "filter.kinds"},
      {[](auto* r) { r->mutable_filter()->add_kinds(static_cast<v1::RecordKind>(999)); },
       "FIELD_INVALID", "filter.kinds"},
      {[](auto* r) { r->mutable_filter()->set_outcome(static_cast<v1::Outcome>(9)); },
       "FIELD_INVALID", "filter.outcome"},
      {[](auto* r) { r->mutable_filter()->mutable_subject(); }, "FIELD_INVALID", "filter.subject"},
      {[](auto* r) { r->mutable_filter()->set_signal_id(Bytes(16, 's')); }, "FIELD_INVALID",
       "filter.signal_id"},
      {[](auto* r) { r->mutable_filter()->set_ground("consent"); }, "FIELD_INVALID",
       "filter.ground"},
      {[](auto* r) { r->set_ground(std::string(201, 'x')); }, "TOO_LARGE", "ground"},
      {[](auto* r) { r->set_reference(std::string(201, 'x')); }, "TOO_LARGE", "reference"},
      {[](auto* r) { r->set_page_size(1001); }, "FIELD_INVALID", "page_size"},
      {[](auto* r) { r->set_page_token("x"); }, "PAGE_TOKEN_INVALID", "page_token"},
  };
  for (const Bad& bad : cases) {
    auto request = Ask();
    bad.change(&request);
    v1::QueryLogResponse response;
    const Status done = desk_->Query(As(kPoliceOin), false, request, &response);
    ASSERT_FALSE(done.ok()) << bad.field;
    EXPECT_EQ(done.error().reason, bad.reason) << bad.field;
    EXPECT_EQ(done.error().field, bad.field);
  }
  v1::ExportLogRequest exporting;
  EXPECT_EQ(desk_->Export(As(kPoliceOin), false, exporting).error().field, "request_id");
  exporting.set_request_id(Bytes(16, 'e'));
  exporting.set_reference(std::string(201, 'x'));
  EXPECT_EQ(desk_->Export(As(kPoliceOin), false, exporting).error().field, "reference");
  EXPECT_EQ(log_->durable_head().size, size);
  v1::GetLogTileRequest tile;
  tile.set_level(8);
  v1::GetLogTileResponse no_tile;
  EXPECT_EQ(desk_->Tile(tile, &no_tile).error().field, "level");
  v1::GetLogInclusionProofRequest beyond;
  beyond.set_index(size);
  v1::GetLogInclusionProofResponse no_proof;
  EXPECT_EQ(desk_->InclusionProof(beyond, &no_proof).error().field, "index");
  v1::GetLogConsistencyProofRequest from_nothing;
  v1::GetLogConsistencyProofResponse none;
  EXPECT_EQ(desk_->ConsistencyProof(from_nothing, &none).error().field, "first_size");
}

TEST_F(Desk, APageTokenOpensForItsReaderAndFilterOnly) {
  auto request = Ask();
  request.set_page_size(1);
  v1::QueryLogResponse first;
  ASSERT_TRUE(desk_->Query(As(kPoliceOin), false, request, &first).ok());
  ASSERT_FALSE(first.next_page_token().empty());
  request.set_page_token(first.next_page_token());
  v1::QueryLogResponse other;
  EXPECT_EQ(desk_->Query(As(kCareOin), false, request, &other).error().reason,
            "PAGE_TOKEN_INVALID");
  request.mutable_filter()->set_actor("x");
  EXPECT_EQ(desk_->Query(As(kPoliceOin), false, request, &other).error().reason,
            "PAGE_TOKEN_INVALID");
}

// desk and SDK turn the one into the other by their bytes.
TEST(LogMessages, HaveTheFieldsOfTheBrokersUnderTheSameNumbers) {
  const std::vector<
      std::pair<const google::protobuf::Descriptor*, const google::protobuf::Descriptor*>>
      pairs = {
          {v1::GetLogCheckpointRequest::descriptor(), v1::GetCheckpointRequest::descriptor()},
          {v1::GetLogCheckpointResponse::descriptor(), v1::GetCheckpointResponse::descriptor()},
          {v1::GetLogInclusionProofRequest::descriptor(),
           v1::GetInclusionProofRequest::descriptor()},
          {v1::GetLogInclusionProofResponse::descriptor(),
           v1::GetInclusionProofResponse::descriptor()},
          {v1::GetLogConsistencyProofRequest::descriptor(),
           v1::GetConsistencyProofRequest::descriptor()},
          {v1::GetLogConsistencyProofResponse::descriptor(),
           v1::GetConsistencyProofResponse::descriptor()},
          {v1::GetLogTileRequest::descriptor(), v1::GetTileRequest::descriptor()},
          {v1::GetLogTileResponse::descriptor(), v1::GetTileResponse::descriptor()},
          {v1::QueryLogRequest::descriptor(), v1::QueryRecordsRequest::descriptor()},
          {v1::QueryLogResponse::descriptor(), v1::QueryRecordsResponse::descriptor()},
          {v1::ExportLogRequest::descriptor(), v1::ExportRequest::descriptor()},
          {v1::ExportLogResponse::descriptor(), v1::ExportResponse::descriptor()},
      };
  for (const auto& [ours, brokers] : pairs) {
    int without = 0;
    for (int i = 0; i < brokers->field_count(); ++i) {
      const auto* theirs = brokers->field(i);
      const auto* field = ours->FindFieldByNumber(theirs->number());
      if (field == nullptr) {
        // A custodian's records have no details.
        EXPECT_EQ(theirs->name(), "with_details") << ours->name();
        ++without;
        continue;
      }
      EXPECT_EQ(field->name(), theirs->name()) << ours->name();
      EXPECT_EQ(field->type(), theirs->type()) << ours->name();
      EXPECT_EQ(field->label(), theirs->label()) << ours->name();
      EXPECT_EQ(field->message_type(), theirs->message_type()) << ours->name();
    }
    EXPECT_EQ(ours->field_count() + without, brokers->field_count()) << ours->name();
  }
}

}  // namespace
}  // namespace schakel::custodian
