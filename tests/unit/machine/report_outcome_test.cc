// What a recipient reports to have come of a signal: its record, its way back to the sender, and
// everything that is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/base/limits.h"
#include "tests/support/machine_fixture.h"

namespace schakel::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kReport = v1::RECORD_KIND_OUTCOME_REPORT;

std::string ReasonOf(const machine::Outcome& outcome) {
  return outcome.refused ? outcome.refused->reason : "";
}
std::string FieldOf(const machine::Outcome& outcome) {
  return outcome.refused ? outcome.refused->field : "";
}
v1::LogReceipt ReceiptOf(const machine::Outcome& outcome) {
  return std::get<v1::ReportOutcomeResponse>(outcome.answer).receipt();
}

class ReportOutcome : public ::testing::Test {
 protected:
  // Rent arrears in the hands of debt relief.
  DeliveryId Deliver() {
    signal_ = f_.Accept(f_.Arrears()).signal_id();
    return f_.Pull(sample::kDebtRelief, 1).items.at(0).delivery_id;
  }
  DeliveryId Acknowledged() {
    auto delivery = Deliver();
    EXPECT_FALSE(f_.Acknowledge(sample::kDebtRelief, delivery).refused);
    return delivery;
  }
  machine::Outcome Report(const DeliveryId& delivery, const std::string& code,
                          const OrganisationId& who = sample::kDebtRelief) {
    return ReportAs(f_.random().Make<RequestId>(), delivery, code, who);
  }
  machine::Outcome ReportAs(const RequestId& request, const DeliveryId& delivery,
                            const std::string& code,
                            const OrganisationId& who = sample::kDebtRelief) {
    return f_.DoAs(who, machine::ReportOutcome{request, delivery, code});
  }
  v1::RecipientOutcome LastEvent() { return f_.Feed(sample::kCorporation).back().outcome(); }

  MachineFixture f_;
  Bytes signal_;
};

TEST_F(ReportOutcome, ReachesTheSendersFeedAndStatus) {
  auto delivery = Acknowledged();
  f_.Advance(3h);
  const auto acknowledged = LastEvent();
  ASSERT_EQ(ReasonOf(Report(delivery, "help-offered")), "");
  auto told = LastEvent();
  EXPECT_EQ(told.reported_code(), "help-offered");
  EXPECT_EQ(told.reported().seconds(), f_.now().count() / 1'000'000);
  // How the signal stands is what it was.
  EXPECT_EQ(told.state(), v1::RECIPIENT_STATE_ACKNOWLEDGED);
  told.clear_reported_code();
  told.clear_reported();
  EXPECT_EQ(told.SerializeAsString(), acknowledged.SerializeAsString());
  state::v1::SignalState state;
  auto raw = f_.state().Get(store::Family::kHot,
                            machine::keys::Signal(sample::kCorporation, *SignalId::From(signal_)));
  ASSERT_TRUE(raw.ok() && *raw && state.ParseFromString(**raw));
  EXPECT_EQ(state.recipients(0).outcome().reported_code(), "help-offered");
}

TEST_F(ReportOutcome, IsARecordOfItsRecipientThatNamesNobodyElse) {
  auto delivery = Acknowledged();
  const auto receipt = ReceiptOf(Report(delivery, "taken-up"));
  const auto records = f_.RecordsOf(kReport);
  ASSERT_EQ(records.size(), 1u);
  const auto& record = records[0];
  EXPECT_EQ(receipt.index(), record.index());
  EXPECT_EQ(receipt.record(), record.SerializeAsString());
  EXPECT_EQ(record.organisation(), sample::kDebtRelief.str());
  EXPECT_EQ(record.actor(), "user-1");
  EXPECT_EQ(record.signal_id(), signal_);
  EXPECT_EQ(record.signal_type(), "rent-arrears");
  EXPECT_EQ(record.facts().reported_code(), "taken-up");
  EXPECT_EQ(record.facts().delivery_id(), delivery.str());
  EXPECT_EQ(record.bundle_digest(), Reference().digest.str());
  // The same subject as the acknowledgement's.
  EXPECT_EQ(record.subject_label(),
            f_.RecordsOf(v1::RECORD_KIND_ACKNOWLEDGEMENT).at(0).subject_label());
  EXPECT_EQ(f_.DetailOf(record.index()).recipients(0).oin(), sample::kDebtRelief.str());
  EXPECT_EQ(receipt.record().find(sample::kCorporation.str()), std::string::npos);
}

TEST_F(ReportOutcome, MayNameAnyDeliveryOfTheItem) {
  auto first = Deliver();
  f_.AdvanceAndTick(60s);
  auto second = f_.Pull(sample::kDebtRelief, 1).items.at(0).delivery_id;
  ASSERT_FALSE(f_.Acknowledge(sample::kDebtRelief, second).refused);
  EXPECT_EQ(ReasonOf(Report(first, "taken-up")), "");
}

TEST_F(ReportOutcome, OfTheSameCodeAgainGetsTheFirstAnswerAndLeavesNoRecord) {
  auto delivery = Acknowledged();
  const auto first = ReceiptOf(Report(delivery, "taken-up"));
  const auto size = f_.machine().TreeHead().size;
  const auto events = f_.Feed(sample::kCorporation).size();
  f_.Advance(1h);
  EXPECT_EQ(ReceiptOf(Report(delivery, "taken-up")).SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(f_.machine().TreeHead().size, size);
  EXPECT_EQ(f_.Feed(sample::kCorporation).size(), events);
}

TEST_F(ReportOutcome, OfAnotherCodeIsRecordedAndTheNewestCounts) {
  auto delivery = Acknowledged();
  for (const char* code : {"not-reachable", "help-offered", "not-reachable"}) {
    ASSERT_EQ(ReasonOf(Report(delivery, code)), "");
    EXPECT_EQ(LastEvent().reported_code(), code);
  }
  std::vector<std::string> recorded;
  for (const auto& record : f_.RecordsOf(kReport))
    recorded.push_back(record.facts().reported_code());
  EXPECT_THAT(recorded, ElementsAre("not-reachable", "help-offered", "not-reachable"));
}

TEST_F(ReportOutcome, ThatIsTriedAgainLateDoesNotReplaceANewerOne) {
  auto delivery = Acknowledged();
  auto request = f_.random().Make<RequestId>();
  const auto first = ReceiptOf(ReportAs(request, delivery, "taken-up"));
  ASSERT_EQ(ReasonOf(Report(delivery, "completed")), "");
  EXPECT_EQ(ReceiptOf(ReportAs(request, delivery, "taken-up")).index(), first.index());
  EXPECT_EQ(LastEvent().reported_code(), "completed");
  EXPECT_EQ(f_.RecordsOf(kReport).size(), 2u);
  auto other = ReportAs(request, delivery, "passed-on");
  EXPECT_EQ(ReasonOf(other), "ALREADY_EXISTS");
  EXPECT_EQ(FieldOf(other), "request_id");
}

TEST_F(ReportOutcome, IsTakenSixteenTimesOfOneSignal) {
  auto delivery = Acknowledged();
  const char* codes[] = {"taken-up", "not-reachable"};
  for (size_t i = 0; i < limits::kReportsPerItemMax; ++i) {
    ASSERT_EQ(ReasonOf(Report(delivery, codes[i % 2])), "") << i;
  }
  auto beyond = Report(delivery, "taken-up");
  EXPECT_EQ(ReasonOf(beyond), "TOO_MANY_REPORTS");
  EXPECT_EQ(beyond.refused->code, ErrorCode::kResourceExhausted);
  // The newest is still answered.
  EXPECT_EQ(ReasonOf(Report(delivery, "not-reachable")), "");
  EXPECT_EQ(f_.RecordsOf(kReport).size(), limits::kReportsPerItemMax);
}

TEST_F(ReportOutcome, ComesAfterAnAcknowledgementOnly) {
  auto delivery = Deliver();
  auto early = Report(delivery, "taken-up");
  EXPECT_EQ(ReasonOf(early), "NOT_ACKNOWLEDGED");
  EXPECT_EQ(FieldOf(early), "delivery_id");
  f_.AdvanceAndTick(60s);  // it waits again
  EXPECT_EQ(ReasonOf(Report(delivery, "taken-up")), "NOT_ACKNOWLEDGED");
  auto again = f_.Pull(sample::kDebtRelief, 1).items.at(0).delivery_id;
  ASSERT_FALSE(f_.Refuse(sample::kDebtRelief, again, "").refused);
  EXPECT_EQ(ReasonOf(Report(again, "taken-up")), "DELIVERY_SETTLED");
  EXPECT_THAT(f_.RecordsOf(kReport), IsEmpty());
  EXPECT_EQ(LastEvent().reported_code(), "");
}

TEST_F(ReportOutcome, IsItsRecipientsAlone) {
  auto delivery = Acknowledged();
  auto other = Report(delivery, "taken-up", sample::kTeam);
  EXPECT_EQ(ReasonOf(other), "DELIVERY_UNKNOWN");
  EXPECT_EQ(FieldOf(other), "delivery_id");
  EXPECT_EQ(ReasonOf(Report(delivery, "taken-up", sample::kCorporation)), "DELIVERY_UNKNOWN");
  EXPECT_EQ(ReasonOf(Report(DeliveryId{}, "taken-up")), "DELIVERY_UNKNOWN");
}

TEST_F(ReportOutcome, IsACodeThatTheBundleHasForTheType) {
  auto delivery = Acknowledged();
  auto unknown = Report(delivery, "moved-to-spain");
  EXPECT_EQ(ReasonOf(unknown), "UNKNOWN_CODE");
  EXPECT_EQ(FieldOf(unknown), "code");
  auto test = Report(delivery, "test-received");
  EXPECT_EQ(ReasonOf(test), "OUTCOME_NOT_APPLICABLE");
  EXPECT_EQ(FieldOf(test), "code");
  // A type with outcomes of its own has no others.
  f_.Accept(f_.Violence(Linked("a")));
  auto violence = f_.Pull(sample::kCentre, 1).items.at(0).delivery_id;
  ASSERT_FALSE(f_.Acknowledge(sample::kCentre, violence).refused);
  EXPECT_EQ(ReasonOf(Report(violence, "help-offered", sample::kCentre)), "OUTCOME_NOT_APPLICABLE");
  EXPECT_EQ(ReasonOf(Report(violence, "passed-on", sample::kCentre)), "");
}

TEST_F(ReportOutcome, OfANoticeThereIsNone) {
  const auto signal = f_.Accept(f_.Violence(Linked("a")));
  f_.AdvanceAndTick(24h);
  ASSERT_FALSE(f_.DoAs(sample::kChainDirector,
                       machine::Remind{f_.random().Make<RequestId>(), signal.alias()})
                   .refused);
  auto leased = f_.Pull(sample::kCentre, 1);
  ASSERT_TRUE(leased.items.at(0).delivery.has_notice());
  const auto notice = leased.items[0].delivery_id;
  ASSERT_FALSE(f_.Acknowledge(sample::kCentre, notice).refused);
  EXPECT_EQ(ReasonOf(Report(notice, "taken-up", sample::kCentre)), "OUTCOME_NOT_APPLICABLE");
}

TEST_F(ReportOutcome, EndsWithWhatIsKeptOfTheSignal) {
  auto delivery = Acknowledged();
  f_.AdvanceAndTick(5 * 24h + 1s);  // the signal ended; what came of it may still be told
  ASSERT_EQ(ReasonOf(Report(delivery, "taken-up")), "");
  f_.AdvanceAndSweep(1825 * 24h + 24h);
  EXPECT_EQ(ReasonOf(Report(delivery, "completed")), "DELIVERY_UNKNOWN");
  // And nothing of the reports is left in the sender's feed.
  EXPECT_THAT(f_.Feed(sample::kCorporation), IsEmpty());
}

TEST_F(ReportOutcome, SurvivesARestart) {
  auto delivery = Acknowledged();
  const auto first = ReceiptOf(Report(delivery, "taken-up"));
  f_.Reload();
  EXPECT_EQ(ReceiptOf(Report(delivery, "taken-up")).index(), first.index());
}

}  // namespace
}  // namespace schakel::testing
