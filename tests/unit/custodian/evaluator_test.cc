// The one path to the share, on a store that fails when told to.
#include "broker/custodian/evaluator.h"

#include <gtest/gtest.h>

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
    std::vector<Error> problems;
    materials_ = LoadMaterials(set_.SettingsOf(0), clock_, nullptr, &problems);
    for (const Error& problem : problems) ADD_FAILURE() << problem.field << problem.message;
    SCHAKEL_CHECK(materials_.has_value(), "the set is right");
    log_ = std::move(transport::Logger::Make("debug", lines_.out())).value();
    instruments_ = std::make_unique<Instruments>(&metrics_, log_.get());
    budgets_ = std::move(BudgetLedger::Open(store_)).value();
    evaluator_ = std::make_unique<Evaluator>(
        Evaluator::Parts{materials_->holder.get(), materials_->members.get(), budgets_.get(),
                         &clock_, instruments_.get(), 1000});
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
    return evaluator_->Evaluate(*OrganisationId::From(kMember), request, kTrace, &response_);
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
    EXPECT_EQ(store_.position(), i);
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
  EXPECT_EQ(store_.position(), 0u);
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
  EXPECT_EQ(evaluator_->Budget(*OrganisationId::From(kMember), &budget).error().reason,
            "NO_AUTHORITY");
  EXPECT_EQ(store_.position(), 0u);
}

}  // namespace
}  // namespace schakel::custodian
