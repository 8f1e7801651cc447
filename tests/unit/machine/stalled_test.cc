// Who lets a signal wait for longer than its term, and the reminders of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/machine_fixture.h"
#include "tests/unit/machine/days.h"

namespace schakel::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;

class Stalled : public ::testing::Test {
 protected:
  std::vector<state::v1::StalledItem> Listed() {
    std::vector<state::v1::StalledItem> all;
    EXPECT_TRUE(f_.state()
                    .ScanPrefix(store::Family::kHot, machine::keys::StalledPrefix(),
                                [&](BytesView, BytesView value) {
                                  EXPECT_TRUE(all.emplace_back().ParseFromString(Bytes(value)));
                                  return true;
                                })
                    .ok());
    return all;
  }
  // A violence report, whose term is a day, that ends after five.
  v1::SignalAccepted Send() { return f_.Accept(f_.Violence(Linked("a"))); }
  machine::Outcome Remind(const std::string& alias, char id = 'r') {
    return f_.DoAs(sample::kChainDirector, machine::Remind{*RequestId::From(Bytes(16, id)), alias});
  }

  MachineFixture f_;
};

TEST_F(Stalled, IsWhatWaitsForItsTermAndNotBefore) {
  const auto sent_us = static_cast<uint64_t>(f_.now().count());
  const auto signal = Send();
  f_.AdvanceAndTick(kDay - 1us);
  EXPECT_THAT(Listed(), IsEmpty());
  f_.AdvanceAndTick(1us);
  ASSERT_EQ(Listed().size(), 1u);
  const auto listed = Listed()[0];
  EXPECT_EQ(listed.recipient(), sample::kCentre.str());
  EXPECT_EQ(listed.sender(), sample::kPolice.str());
  EXPECT_EQ(listed.signal_id(), signal.signal_id());
  EXPECT_EQ(listed.signal_type(), "domestic-violence-report");
  EXPECT_EQ(listed.since_us(), sent_us);
  EXPECT_EQ(listed.term_us(), static_cast<uint64_t>(Micros(kDay).count()));
  EXPECT_FALSE(listed.dead_letter());
}

TEST_F(Stalled, IsWhatIsInSomebodysHandsToo) {
  Send();
  f_.AdvanceAndTick(kDay - 10min);
  ASSERT_EQ(f_.Pull(sample::kCentre, 1, 1h).items.size(), 1u);
  f_.AdvanceAndTick(10min);
  EXPECT_EQ(Listed().size(), 1u);
}

TEST_F(Stalled, IsNothingThatWasDone) {
  Send();
  const auto early = f_.Pull(sample::kCentre);
  f_.Acknowledge(sample::kCentre, early.items.at(0).delivery_id);
  Send();
  f_.AdvanceAndTick(kDay);
  ASSERT_EQ(Listed().size(), 1u) << "of two the one that waits";
  const auto late = f_.Pull(sample::kCentre);
  f_.Acknowledge(sample::kCentre, late.items.at(0).delivery_id);
  EXPECT_THAT(Listed(), IsEmpty());
  f_.AdvanceAndTick(10 * kDay);
  EXPECT_THAT(Listed(), IsEmpty());
}

TEST_F(Stalled, EndsWithTheSignalAndTheSignalStillEnds) {
  Send();
  f_.AdvanceAndTick(kDay);
  ASSERT_EQ(Listed().size(), 1u);
  f_.AdvanceAndTick(4 * kDay);
  EXPECT_THAT(Listed(), IsEmpty());
  EXPECT_EQ(f_.Feed(sample::kPolice).back().outcome().state(), v1::RECIPIENT_STATE_EXPIRED);
}

TEST_F(Stalled, IsNoSignalThatEndsBeforeItsTerm) {
  auto spec = f_.Violence(Linked("a"));
  spec.lifetime = 20h;
  f_.Accept(spec);
  f_.AdvanceAndTick(20h);
  EXPECT_EQ(f_.Feed(sample::kPolice).back().outcome().state(), v1::RECIPIENT_STATE_EXPIRED);
  f_.AdvanceAndTick(10h);
  EXPECT_THAT(Listed(), IsEmpty());
}

TEST_F(Stalled, IsADeadLetterUntilTheSignalEnds) {
  Send();
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(f_.Pull(sample::kCentre).items.size(), 1u);
    f_.AdvanceAndTick(60s);
  }
  ASSERT_EQ(Listed().size(), 1u);
  EXPECT_TRUE(Listed()[0].dead_letter());
  f_.AdvanceAndTick(2 * kDay);
  ASSERT_EQ(Listed().size(), 1u);
  EXPECT_TRUE(Listed()[0].dead_letter());
  f_.AdvanceAndTick(3 * kDay);
  EXPECT_THAT(Listed(), IsEmpty());
}

TEST_F(Stalled, GivesANoticeWithoutContentToWhoHasToAct) {
  const auto signal = Send();
  f_.AdvanceAndTick(kDay);
  const auto outcome = Remind(signal.alias());
  ASSERT_FALSE(outcome.refused);
  const auto& answer = std::get<v1::RemindResponse>(outcome.answer);
  EXPECT_EQ(answer.reminded(), 1u);
  EXPECT_EQ(answer.position(), outcome.position);
  EXPECT_EQ(static_cast<uint64_t>(answer.again_from().seconds()),
            static_cast<uint64_t>((f_.now() + kDay).count()) / 1'000'000);
  const auto leased = f_.Pull(sample::kCentre);
  ASSERT_EQ(leased.items.size(), 2u);
  const auto& notice = leased.items[0].delivery.notice();
  EXPECT_EQ(notice.kind(), v1::NOTICE_KIND_REMINDER);
  EXPECT_EQ(notice.alias(), signal.alias());
  // It was never handed over: whether it will be is still to be decided.
  EXPECT_EQ(notice.signal_id(), "");
  EXPECT_EQ(notice.sender(), "");
}

TEST_F(Stalled, NamesTheSignalToWhoReadIt) {
  const auto signal = Send();
  ASSERT_EQ(f_.Pull(sample::kCentre, 1, 60s).items.size(), 1u);
  f_.AdvanceAndTick(kDay);
  ASSERT_FALSE(Remind(signal.alias()).refused);
  const auto leased = f_.Pull(sample::kCentre, 1);
  const auto& notice = leased.items.at(0).delivery.notice();
  EXPECT_EQ(notice.signal_id(), signal.signal_id());
  EXPECT_EQ(notice.sender(), sample::kPolice.str());
}

TEST_F(Stalled, IsRemindedOfOnTheRecord) {
  const auto signal = Send();
  f_.AdvanceAndTick(kDay);
  ASSERT_FALSE(Remind(signal.alias()).refused);
  const auto reminders = f_.RecordsOf(v1::RECORD_KIND_REMINDER);
  ASSERT_EQ(reminders.size(), 1u);
  EXPECT_EQ(reminders[0].organisation(), sample::kChainDirector.str());
  EXPECT_EQ(reminders[0].actor(), "user-1");
  EXPECT_EQ(reminders[0].facts().alias(), signal.alias());
  EXPECT_EQ(reminders[0].facts().count(), 1u);
  EXPECT_EQ(reminders[0].signal_id(), "") << "the director is a party to this record";
  EXPECT_EQ(reminders[0].subject_label(), "");
  const auto notices = f_.RecordsOf(v1::RECORD_KIND_NOTICE);
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].organisation(), sample::kCentre.str());
  EXPECT_EQ(notices[0].actor(), "") << "I9: who acted is told to its own organisation only";
  EXPECT_EQ(notices[0].facts().notice(), "reminder");
  EXPECT_EQ(notices[0].facts().alias(), signal.alias());
}

TEST_F(Stalled, IsRemindedOfOnceADayAtMost) {
  const auto signal = Send();
  f_.AdvanceAndTick(kDay);
  const auto first = Remind(signal.alias(), 'a');
  ASSERT_FALSE(first.refused);
  const auto size = f_.machine().TreeHead().size;
  // The same request again: the first answer, and nothing more.
  const auto again = Remind(signal.alias(), 'a');
  ASSERT_FALSE(again.refused);
  EXPECT_EQ(std::get<v1::RemindResponse>(again.answer).again_from().seconds(),
            std::get<v1::RemindResponse>(first.answer).again_from().seconds());
  EXPECT_EQ(f_.machine().TreeHead().size, size);
  f_.AdvanceAndTick(kDay - 1us);
  const auto early = Remind(signal.alias(), 'b');
  EXPECT_EQ(ReasonOf(early), "REMINDED_ALREADY");
  EXPECT_GT(early.refused->retry_after_ms, 0);
  f_.AdvanceAndTick(1us);
  EXPECT_FALSE(Remind(signal.alias(), 'b').refused);
  EXPECT_EQ(f_.RecordsOf(v1::RECORD_KIND_REMINDER).size(), 2u);
}

TEST_F(Stalled, IsRemindedOfOnceADayAlsoWhenItBecomesADeadLetter) {
  const auto signal = Send();
  f_.AdvanceAndTick(kDay);
  ASSERT_FALSE(Remind(signal.alias(), 'a').refused);
  for (int i = 0; i < 10; ++i) {
    f_.Pull(sample::kCentre);
    f_.AdvanceAndTick(60s);
  }
  ASSERT_TRUE(Listed().at(0).dead_letter());
  EXPECT_EQ(ReasonOf(Remind(signal.alias(), 'b')), "REMINDED_ALREADY");
}

TEST_F(Stalled, IsAllThatCanBeRemindedOf) {
  const auto signal = Send();
  // One answer for what does not stall and for what does not exist.
  const auto waiting = Remind(signal.alias());
  const auto unknown = Remind("ZHZ-0000");
  EXPECT_EQ(ReasonOf(waiting), "NOT_FOUND");
  EXPECT_EQ(*waiting.refused, *unknown.refused);
  EXPECT_THAT(f_.RecordsOf(v1::RECORD_KIND_REMINDER), IsEmpty());
  EXPECT_EQ(f_.Pull(sample::kCentre).items.size(), 1u) << "the signal and no notice";
}

TEST_F(Stalled, GivesANoticeToEachWhoHasToActAndToNoOther) {
  auto spec = f_.Violence(Linked("a"));
  spec.recipients.push_back(sample::kTeam);
  spec.sections = {{"safety", "wmo-veilig-thuis"}, {"social", "wmo-veilig-thuis"}};
  const auto signal = f_.Accept(spec);
  const auto team = f_.Pull(sample::kTeam);
  ASSERT_EQ(team.items.size(), 1u);
  f_.Acknowledge(sample::kTeam, team.items[0].delivery_id);
  f_.AdvanceAndTick(kDay);
  ASSERT_FALSE(Remind(signal.alias()).refused);
  EXPECT_EQ(f_.Pull(sample::kCentre).items.size(), 2u);
  EXPECT_THAT(f_.Pull(sample::kTeam).items, IsEmpty());
}

TEST_F(Stalled, EndsAReminderThatNobodyFetches) {
  const auto signal = Send();
  f_.AdvanceAndTick(kDay);
  ASSERT_FALSE(Remind(signal.alias()).refused);
  f_.AdvanceAndTick(kDay);
  const auto leased = f_.Pull(sample::kCentre);
  ASSERT_EQ(leased.items.size(), 1u);
  EXPECT_TRUE(leased.items[0].delivery.has_signal());
}

TEST_F(Stalled, OutlivesAFetchThatIsRepeatedAfterItsReminderEnded) {
  const auto signal = Send();
  f_.AdvanceAndTick(kDay);
  ASSERT_FALSE(Remind(signal.alias()).refused);
  f_.AdvanceAndTick(23h);
  const auto fetch_id = *RequestId::From(Bytes(16, 'f'));
  const auto fetched = f_.Fetch(sample::kCentre, fetch_id, 64, 8h);
  ASSERT_EQ(fetched.items.size(), 2u);
  ASSERT_TRUE(fetched.items[0].delivery.has_notice());
  f_.Acknowledge(sample::kCentre, fetched.items[0].delivery_id);
  f_.AdvanceAndTick(2h);
  // The same fetch again: the signal as before, and nothing of the notice that is forgotten.
  const auto again = f_.Fetch(sample::kCentre, fetch_id, 64, 8h);
  ASSERT_EQ(again.items.size(), 1u);
  EXPECT_TRUE(again.items[0].delivery.has_signal());
}

}  // namespace
}  // namespace schakel::testing
