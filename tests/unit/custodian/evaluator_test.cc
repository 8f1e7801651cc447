// The one path to the share, on a store that fails when told to.
#include "broker/custodian/evaluator.h"

#include <gtest/gtest.h>

#include "broker/audit/keys.h"
#include "broker/custodian/materials.h"
#include "broker/store/testing/memory_state.h"
#include "tests/unit/custodian/custodian_set.h"

namespace schakel::custodian {
namespace {

const std::string kMember = testing::TestOin(1000);
const Bytes kTrace(16, '\7');

class EvaluatorTest : public ::testing::Test {
 protected:
  EvaluatorTest() {
    Allow(500);
    EXPECT_TRUE(storage_->Refresh().ok());
    std::vector<Error> problems;
    materials_ = LoadMaterials(set_.SettingsOf(0), clock_, nullptr, &problems);
    for (const Error& problem : problems) ADD_FAILURE() << problem.field << problem.message;
    SCHAKEL_CHECK(materials_.has_value(), "the set is right");
    log_ = std::move(transport::Logger::Make("debug", lines_.out())).value();
    instruments_ = std::make_unique<Instruments>(&metrics_, log_.get());
    budgets_ = std::move(BudgetLedger::Open(store_)).value();
    book_ = std::move(CustodianLog::Begin(store_, {"zhz.example/custodian/1", "zhz.example", "key"},
                                          {}, clock_.Wall()))
                .value();
    refusals_ = std::move(RefusalCounter::Open(store_, *book_)).value();
    evaluator_ = std::make_unique<Evaluator>(Evaluator::Parts{
        materials_->holder.get(), materials_->members.get(), budgets_.get(), book_.get(),
        refusals_.get(), storage_.get(), &clock_, instruments_.get(), 1000});
  }
  void Allow(uint32_t per_day) {
    set_.WriteMembers({{kMember, set_.certificate(0).certificate, per_day, 5000}});
  }
  static v1::EvaluateRequest Request(size_t count) {
    v1::EvaluateRequest request;
    request.set_epoch(1);
    for (size_t i = 0; i < count; ++i) {
      request.add_blinded_elements(
          crypto::Point::MultiplyGenerator(crypto::SecretScalar::Random()).str());
    }
    return request;
  }
  Status Evaluate(const v1::EvaluateRequest& request) {
    response_.Clear();
    return evaluator_->Evaluate(Who(), request, &response_);
  }
  static Requester Who() { return {*OrganisationId::From(kMember), "user-1", "worker", kTrace}; }
  // The last record of the log.
  v1::Record Last() const {
    v1::Record record;
    const auto size = book_->durable_head().size;
    const auto raw = store_.Get(store::Family::kRecords, audit::keys::Record(size - 1));
    state::v1::StoredRecord stored;
    EXPECT_TRUE(raw.ok() && *raw && stored.ParseFromString(**raw));
    EXPECT_TRUE(record.ParseFromString(stored.record()));
    return record;
  }
  bool Proven(const v1::EvaluateRequest& request) {
    std::vector<crypto::Point> blinded, evaluated;
    for (const auto& raw : request.blinded_elements()) {
      blinded.push_back(*crypto::Point::Decode(raw));
    }
    for (const auto& raw : response_.evaluated_elements()) {
      evaluated.push_back(*crypto::Point::Decode(raw));
    }
    const auto& custodian = materials_->holder->document().document.custodians()[0];
    return crypto::VerifyProof(custodian.public_share, blinded, evaluated,
                               *crypto::OprfProof::Decode(response_.proof()));
  }

  CustodianSet set_;
  SetClock clock_;
  SharedLines lines_;
  transport::Metrics metrics_;
  store::testing::MemoryState store_;
  std::unique_ptr<transport::Logger> log_;
  std::optional<Materials> materials_;
  std::unique_ptr<Instruments> instruments_;
  std::unique_ptr<BudgetLedger> budgets_;
  std::unique_ptr<CustodianLog> book_;
  std::unique_ptr<RefusalCounter> refusals_;
  uint64_t free_bytes_ = uint64_t{1} << 40;
  std::unique_ptr<store::StorageGuard> storage_ =
      std::make_unique<store::StorageGuard>([this]() -> Result<uint64_t> { return free_bytes_; },
                                            limits::kCustodianReserveBytes, nullptr);
  std::unique_ptr<Evaluator> evaluator_;
  v1::EvaluateResponse response_;
};

TEST_F(EvaluatorTest, ProvesAWholeBatchWithOneProof) {
  for (const size_t count : {1, 2, 256}) {
    const auto request = Request(count);
    const Status done = Evaluate(request);
    ASSERT_TRUE(done.ok()) << done.error().message;
    EXPECT_EQ(response_.evaluated_elements_size(), static_cast<int>(count));
    EXPECT_EQ(response_.proof().size(), crypto::kOprfProofBytes);
    EXPECT_EQ(response_.share(), 1u);
    EXPECT_TRUE(Proven(request));
  }
  EXPECT_EQ(budgets_->TotalToday(clock_.Wall()), 259u);
}

TEST_F(EvaluatorTest, AFailedSyncGivesNoAnswerNowNorLater) {
  ASSERT_TRUE(Evaluate(Request(1)).ok());
  for (int i = 0; i < 2; ++i) {
    store_.FailNextCommit(false);
    const Status refused = Evaluate(Request(1));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(refused.error().reason, "NOT_SERVING");
    EXPECT_EQ(response_.evaluated_elements_size(), 0);
    EXPECT_TRUE(response_.proof().empty());
  }
  EXPECT_NE(metrics_.Text().find("schakel_custodian_charge_failures_total 2"), std::string::npos);
  EXPECT_NE(lines_.str().find("charge_failed"), std::string::npos);
}

TEST_F(EvaluatorTest, AnAnswerIsOnDiskBeforeItIsGiven) {
  for (uint64_t i = 1; i <= 5; ++i) {
    ASSERT_TRUE(Evaluate(Request(10)).ok());
    EXPECT_EQ(store_.position(), i + 1);  // after the one that began the log
    EXPECT_EQ(Last().kind(), v1::RECORD_KIND_EVALUATION);
    EXPECT_EQ(Last().facts().day_remaining(), 500 - 10 * i);
    EXPECT_EQ(Last().SerializeAsString(), response_.receipt().record());
  }
  store::testing::MemoryState restarted(store_);
  const auto ledger = std::move(BudgetLedger::Open(restarted)).value();
  EXPECT_EQ(ledger->TotalToday(clock_.Wall()), 50u);
}

TEST_F(EvaluatorTest, ABadRequestCostsNothing) {
  auto bad = Request(256);
  bad.set_blinded_elements(255, Bytes(32, '\0'));
  EXPECT_EQ(Evaluate(bad).error().field, "blinded_elements[255]");
  EXPECT_EQ(Evaluate(Request(257)).error().reason, "TOO_LARGE");
  auto other_epoch = Request(1);
  other_epoch.set_epoch(2);
  EXPECT_EQ(Evaluate(other_epoch).error().reason, "EPOCH_UNKNOWN");
  EXPECT_EQ(store_.position(), 1u);
}

TEST_F(EvaluatorTest, AlarmsAtHalfAndRefusesAtTheEnd) {
  Allow(10);
  ASSERT_TRUE(Evaluate(Request(4)).ok());
  EXPECT_EQ(lines_.str().find("budget_half_used"), std::string::npos);
  ASSERT_TRUE(Evaluate(Request(1)).ok());
  EXPECT_NE(lines_.str().find("budget_half_used"), std::string::npos);
  ASSERT_TRUE(Evaluate(Request(5)).ok());
  const Status refused = Evaluate(Request(1));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(refused.error().reason, "BUDGET_EXHAUSTED");
  EXPECT_GT(refused.error().retry_after_ms, 0);
  EXPECT_LE(refused.error().retry_after_ms, 86'400'000);
  EXPECT_NE(refused.error().message.find("T00:00:00Z"), std::string::npos);
  EXPECT_NE(metrics_.Text().find("schakel_custodian_budget_half_used_total{scope=\"day\"} 1"),
            std::string::npos);
  EXPECT_NE(metrics_.Text().find("schakel_custodian_budget_exhausted_total{scope=\"day\"} 1"),
            std::string::npos);
  const Status never = Evaluate(Request(11));
  EXPECT_EQ(never.error().retry_after_ms, 0);
}

TEST_F(EvaluatorTest, LogsAndMetricsHoldNoElement) {
  const auto request = Request(3);
  ASSERT_TRUE(Evaluate(request).ok());
  const std::string told = lines_.str() + metrics_.Text();
  EXPECT_NE(told.find("evaluated"), std::string::npos);
  for (const auto& element : {request.blinded_elements(0), response_.evaluated_elements(0),
                              response_.proof().substr(0, 32)}) {
    EXPECT_EQ(told.find(element), std::string::npos);
    EXPECT_EQ(told.find(HexEncode(element).substr(0, 16)), std::string::npos);
    EXPECT_EQ(told.find(Base64Encode(element).substr(0, 12)), std::string::npos);
  }
}

TEST_F(EvaluatorTest, AMemberThatLeftMeanwhileIsNotCharged) {
  set_.WriteMembers({});
  EXPECT_EQ(Evaluate(Request(1)).error().reason, "NO_AUTHORITY");
  v1::GetBudgetResponse budget;
  EXPECT_EQ(evaluator_->Budget(Who(), &budget).error().reason, "NO_AUTHORITY");
  EXPECT_EQ(budgets_->TotalToday(clock_.Wall()), 0u);
  const v1::Record record = Last();
  EXPECT_EQ(record.kind(), v1::RECORD_KIND_DENIED_ATTEMPT);
  EXPECT_EQ(record.organisation(), kMember);
  EXPECT_EQ(record.actor(), "user-1");
  EXPECT_EQ(record.reason(), "NO_AUTHORITY");
  EXPECT_EQ(record.facts().rpc(), "GetBudget");
}

TEST_F(EvaluatorTest, RecordsWhoHowManyAndWhatIsLeftAndNothingOfFor) {
  const auto request = Request(3);
  ASSERT_TRUE(Evaluate(request).ok());
  const v1::Record record = Last();
  EXPECT_EQ(record.kind(), v1::RECORD_KIND_EVALUATION);
  EXPECT_EQ(record.organisation(), kMember);
  EXPECT_EQ(record.actor(), "user-1");
  EXPECT_EQ(record.actor_role(), "worker");
  EXPECT_EQ(record.trace_id(), kTrace);
  EXPECT_EQ(record.facts().count(), 3u);
  EXPECT_EQ(record.facts().version(), 1u);
  EXPECT_EQ(record.facts().day_remaining(), 497u);
  EXPECT_EQ(record.facts().month_remaining(), 4997u);
  for (const auto& [family, name] :
       {std::pair(store::Family::kRecords, "records"), std::pair(store::Family::kHot, "hot")}) {
    for (const auto& [key, value] : store_.Contents(family)) {
      EXPECT_EQ(value.find(request.blinded_elements(0)), std::string::npos) << name;
      EXPECT_EQ(value.find(response_.evaluated_elements(0)), std::string::npos) << name;
    }
  }
}

TEST_F(EvaluatorTest, AnExhaustedBudgetIsRecordedAndARecordThatFailsGivesNoRefusalEither) {
  Allow(10);
  ASSERT_TRUE(Evaluate(Request(10)).ok());
  EXPECT_EQ(Evaluate(Request(1)).error().reason, "BUDGET_EXHAUSTED");
  EXPECT_EQ(Last().reason(), "BUDGET_EXHAUSTED");
  EXPECT_EQ(Last().facts().count(), 1u);
  store_.FailNextCommit(false);
  EXPECT_EQ(Evaluate(Request(1)).error().reason, "NOT_SERVING");
}

TEST_F(EvaluatorTest, ANearlyFullDiskIsRefusedBeforeTheWriteThatWouldFail) {
  free_bytes_ = limits::kCustodianReserveBytes - 1;
  ASSERT_TRUE(storage_->Refresh().ok());
  const Status refused = Evaluate(Request(1));
  EXPECT_EQ(refused.error().reason, "STORAGE_LOW");
  EXPECT_GT(refused.error().retry_after_ms, 0);
  EXPECT_EQ(store_.position(), 1u);
  free_bytes_ = limits::kCustodianReserveBytes;
  ASSERT_TRUE(storage_->Refresh().ok());
  EXPECT_TRUE(Evaluate(Request(1)).ok());
}

TEST_F(EvaluatorTest, AnOldCopyEvaluatesNothing) {
  const Evaluator restored(Evaluator::Parts{materials_->holder.get(), materials_->members.get(),
                                            nullptr, nullptr, nullptr, storage_.get(), &clock_,
                                            instruments_.get(), 1000});
  v1::EvaluateResponse response;
  EXPECT_EQ(restored.Evaluate(Who(), Request(1), &response).error().reason, "RESTORED");
  v1::GetBudgetResponse budget;
  EXPECT_EQ(restored.Budget(Who(), &budget).error().reason, "RESTORED");
  v1::GetKeyDocumentResponse document;
  EXPECT_TRUE(restored.KeyDocument({}, &document).ok());
}

}  // namespace
}  // namespace schakel::custodian
