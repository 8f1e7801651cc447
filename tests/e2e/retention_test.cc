// What was destroyed is gone from the disk within a day: raw files of a real broker are searched,
// with a clock that the test moves.
#include <algorithm>
#include <fstream>

#include "tests/e2e/command_line.h"
#include "tests/e2e/metrics.h"
#include "tests/e2e/story.h"

namespace schakel::e2e {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Retention : public SteeredTest {
 protected:
  static void SetUpTestSuite() { Begin({.steered = true, .valid = hours(24 * 1000)}); }
  // Names of the files of the data folder in which any of the marks stands.
  static std::vector<std::string> Marked(const std::vector<Bytes>& marks) {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(region().data_folder())) {
      // The reserve has no content, and a file may go while it is looked at.
      if (!entry.is_regular_file() || entry.path().filename() == "reserve") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string all((std::istreambuf_iterator<char>(in)), {});
      for (const Bytes& mark : marks) {
        if (all.find(mark) == std::string::npos) continue;
        names.push_back(entry.path().filename().string());
        break;
      }
    }
    return names;
  }
  // Time passes until nothing is left; what is left after a day.
  static std::vector<std::string> MarkedAfterADay(const std::vector<Bytes>& marks) {
    for (int hour = 0; hour < 24; ++hour) {
      steering().Pass(hours(1));
      EXPECT_TRUE(steering().AwaitLooks(2));
      if (Marked(marks).empty()) return {};
    }
    for (int look = 0; look < 10 && !Marked(marks).empty(); ++look) {
      EXPECT_TRUE(steering().AwaitLooks(1));  // the rewriting itself takes its time
    }
    return Marked(marks);
  }
};

class RetentionOfContent : public Retention {
 protected:
  // Sends about a person with a test number of that place, and withdraws the consent while the
  // signal waits. What was sealed of it.
  static Result<std::vector<Bytes>> SendAndWithdraw(size_t number) {
    std::vector<Bytes> marks;
    SCHAKEL_ASSIGN(const auto person, PersonBy(region(), "care", number));
    SCHAKEL_ASSIGN(const auto consent,
                   RecordConsent(As("care"), person, v1::STATEMENT_KIND_CONSENT, hours(24 * 30)));
    SCHAKEL_TRY(Send(As("care"), Avoidance(person)));
    SCHAKEL_ASSIGN(const auto deliveries, FetchAll(As("team")));
    EXPECT_EQ(deliveries.size(), 1u);
    for (const auto& section : deliveries.at(0).signal().sections()) {
      marks.push_back(section.ciphertext().substr(0, 64));
      for (const auto& wrap : section.wraps()) marks.push_back(wrap.wrapped());
    }
    EXPECT_THAT(marks, Not(IsEmpty()));
    SCHAKEL_ASSIGN(auto* inbox, As("team").inbox());
    SCHAKEL_TRY(inbox->Release(IdOf(deliveries[0])));
    region().RestartBroker();  // puts it into files: what a log alone held is gone with the log
    SCHAKEL_TRY(Withdraw(As("care"), consent));
    EXPECT_THAT(Marked(marks), Not(IsEmpty())) << "gone for readers, not yet from the disk";
    return marks;
  }
  static double Metric(const std::string& name) {
    return ValueOf(MetricsAt(region().broker_metrics_port()), name).value_or(-1);
  }
};

TEST_F(RetentionOfContent, ThatAWithdrawalStoppedIsOffTheDiskWithinADayWhateverStopsBetween) {
  ASSERT_OK_AND(const auto marks, SendAndWithdraw(21));
  region().KillBroker();
  region().StartBroker();  // forgets nothing
  EXPECT_THAT(Marked(marks), Not(IsEmpty()));
  EXPECT_THAT(MarkedAfterADay(marks), IsEmpty());
  // What stands is not touched.
  ASSERT_OK_AND(const auto again, Send(As("corporation"), Arrears()));
  EXPECT_TRUE(again.all_queued());
}

// With a region of its own, whose clock starts anew.
class RetentionWithAFullDisk : public RetentionOfContent {};

TEST_F(RetentionWithAFullDisk, TriesAgainAndTellsTheOperator) {
  ASSERT_OK_AND(const auto marks, SendAndWithdraw(22));
  // Above the reserve, so all else goes on, but too little to rewrite files.
  ASSERT_TRUE(steering().SetFreeBytes((uint64_t{1} << 30) + (uint64_t{1} << 20)));
  const double failed = Metric("schakel_destruction_failed_total");
  for (int hour = 0; hour < 8; ++hour) {
    steering().Pass(hours(1));
    ASSERT_TRUE(steering().AwaitLooks(2));
  }
  EXPECT_GT(Metric("schakel_destruction_failed_total"), failed);
  EXPECT_GT(Metric("schakel_destruction_owed_seconds"), 6 * 3600);
  EXPECT_THAT(Marked(marks), Not(IsEmpty()));
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), Arrears()));
  EXPECT_TRUE(sent.all_queued());
  ASSERT_TRUE(steering().SetFreeBytes(uint64_t{100} << 30));
  steering().Pass(std::chrono::minutes(2));
  for (int look = 0; look < 10 && !Marked(marks).empty(); ++look) {
    EXPECT_TRUE(steering().AwaitLooks(1));
  }
  EXPECT_THAT(Marked(marks), IsEmpty());
  ASSERT_TRUE(steering().AwaitLooks(2));
  EXPECT_LT(Metric("schakel_destruction_owed_seconds"), 3600);
}

TEST_F(Retention, WhatEndedByItsTermIsOffTheDiskWithinADay) {
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), Arrears()));
  ASSERT_TRUE(sent.accepted());
  ASSERT_OK_AND(const auto deliveries, FetchAll(As("debt-relief")));
  ASSERT_EQ(deliveries.size(), 1u);
  // Done with: else its expiry would be a record of the day to which the clock is moved.
  ASSERT_OK_AND(auto* inbox, As("debt-relief").inbox());
  ASSERT_OK(inbox->Acknowledge(IdOf(deliveries[0])));
  const auto& receipt = sent.entry.answer().accepted().receipts(0);
  const std::vector<Bytes> marks = {IdOf(sent).str(), receipt.salt()};
  EXPECT_THAT(Marked(marks), Not(IsEmpty()));
  // Records and status of arrears have a term of two years; the signal itself lasts a month at
  // most.
  steering().Pass(hours(24 * 800));
  EXPECT_THAT(MarkedAfterADay(marks), IsEmpty());

  // The entry stands all the same, and an auditor is told when and by which rule its record went.
  const CommandLine command(region());
  const std::string index = std::to_string(receipt.index());
  const std::string rule = "signal-types.rent-arrears.retention";
  const auto proof = command.Run("region-auditor", {"audit", "prove", index});
  ASSERT_EQ(proof.code, 0) << proof.err;
  EXPECT_THAT(proof.out, HasSubstr("Proven: entry " + index + " stands in the log"));
  EXPECT_THAT(proof.out, HasSubstr("though its record was destroyed on 20"));
  EXPECT_THAT(proof.out, HasSubstr(" by " + rule + " of "));
  EXPECT_EQ(std::count(proof.out.begin(), proof.out.end(), '\n'), 1) << "one sentence";
  ASSERT_OK_AND(auto* corporation, As("corporation").audit());
  EXPECT_TRUE(corporation->Prove(receipt).ok()) << "whoever kept a receipt opens the leaf";
  // And what all went by then is summed up.
  ASSERT_OK_AND(auto* audit, As("region-auditor").audit());
  ASSERT_OK_AND(const auto left, audit->RecordAt(receipt.index()));
  ASSERT_TRUE(left && left->has_destroyed());
  v1::GetStateAtRequest request;
  request.set_part(v1::STATE_PART_SWEEPS);
  request.set_index(left->destroyed().sweep_index());
  ASSERT_OK_AND(const auto swept, audit->StateAtAll(request));
  const auto sum = std::find_if(swept.swept().begin(), swept.swept().end(), [&](const auto& each) {
    return each.rule() == rule && each.kind() == v1::RECORD_KIND_PUBLISH;
  });
  ASSERT_NE(sum, swept.swept().end());
  EXPECT_GE(sum->count(), 1u);
}

}  // namespace
}  // namespace schakel::e2e
