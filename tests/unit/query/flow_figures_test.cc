// What may be shown of numbers of persons.
#include "broker/query/flow_figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/query/flow_history.h"

namespace schakel::query {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const FlowPeriod kWeek = {100 * kWeekUs, 101 * kWeekUs};
constexpr FlowLevel kFine = {};

// Persons `from` to `from + count - 1`, each in one signal that was sent in the week.
std::vector<FlowEntry> Some(uint64_t count, const std::string& area, uint64_t from = 0) {
  std::vector<FlowEntry> entries;
  for (uint64_t i = 0; i < count; ++i) {
    FlowEntry entry;
    entry.epoch = 1;
    entry.person = from + i;
    entry.area = area;
    entry.signal_type = "debt";
    entry.sender_sector = "housing";
    entry.recipient_sector = "social-services";
    entry.sent_us = kWeek.begin_us + i;
    entries.push_back(entry);
  }
  return entries;
}

std::vector<FlowEntry> operator+(std::vector<FlowEntry> a, const std::vector<FlowEntry>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

FlowFigures Sent(const std::vector<FlowEntry>& entries, const FlowLevel& level = kFine) {
  return MakeFigures(entries, v1::FLOW_MEASURE_SENT, level, {kWeek}, "region");
}

// By area: what is shown.
std::map<std::string, uint32_t> Rows(const v1::FlowTable& table) {
  std::map<std::string, uint32_t> rows;
  for (const auto& row : table.rows()) rows[row.area()] = row.persons(0);
  return rows;
}

TEST(FlowFigures, ShowNumbersFromTenInStepsOfFive) {
  for (uint32_t n = 0; n < 10; ++n) EXPECT_EQ(ShownPersons(n), 0u);
  EXPECT_EQ(ShownPersons(10), 10u);
  EXPECT_EQ(ShownPersons(12), 10u);
  EXPECT_EQ(ShownPersons(13), 15u);
  EXPECT_EQ(ShownPersons(17), 15u);
  EXPECT_EQ(ShownPersons(18), 20u);
  for (uint32_t n = 10; n < 5000; ++n) {
    EXPECT_LE(ShownPersons(n + 1) - ShownPersons(n), 5u);
    EXPECT_GE(ShownPersons(n), 10u);
  }
}

TEST(FlowFigures, CountPersonsAndNotSignals) {
  auto entries = Some(10, "a");
  for (int i = 0; i < 5; ++i) entries = entries + Some(3, "a");
  EXPECT_EQ(Sent(entries).table.totals(0), 10u);
  EXPECT_EQ(Sent(Some(9, "a") + Some(9, "a")).table.totals(0), 0u);
}

TEST(FlowFigures, NeverCountAPersonOfTwoEpochsTwice) {
  // While a key is changed a person has a pseudonym under each epoch.
  auto entries = Some(9, "a");
  for (auto entry : Some(9, "a", 1000)) {
    entry.epoch = 2;
    entries.push_back(entry);
  }
  EXPECT_EQ(Sent(entries).table.totals(0), 0u);
}

TEST(FlowFigures, LeaveOutWhereFewerThanTenPersonsAre) {
  const auto figures = Sent(Some(9, "a") + Some(10, "b", 100) + Some(9, "c", 200));
  EXPECT_THAT(Rows(figures.table), ElementsAre(std::pair("b", 10u)));
  EXPECT_EQ(figures.table.totals(0), 30u);  // 28, rounded
  EXPECT_EQ(figures.cells, 4u);
  EXPECT_EQ(figures.left_out, 2u);
}

TEST(FlowFigures, LeaveOutAFurtherRowWhereOneCouldBeTakenFromTheTotal) {
  // 42 in all less 20 and 15 would give 7.
  const auto figures = Sent(Some(7, "a") + Some(20, "b", 100) + Some(15, "c", 200));
  EXPECT_THAT(Rows(figures.table), ElementsAre(std::pair("b", 20u)));
  EXPECT_EQ(figures.table.totals(0), 40u);
  EXPECT_EQ(figures.left_out, 2u);
}

TEST(FlowFigures, LeaveOutAFurtherRowWhereSeveralSmallOnesAreFewerThanTen) {
  const auto figures =
      Sent(Some(2, "a") + Some(3, "b", 50) + Some(20, "c", 100) + Some(15, "d", 200));
  EXPECT_THAT(Rows(figures.table), ElementsAre(std::pair("c", 20u)));
}

TEST(FlowFigures, HaveNoRowWhereNothingIsShown) {
  const auto figures = Sent(Some(9, "a"));
  EXPECT_THAT(Rows(figures.table), IsEmpty());
  EXPECT_THAT(figures.table.totals(), ElementsAre(0u));
  // That there was anybody at all is left out too.
  EXPECT_EQ(figures.table.SerializeAsString(), Sent({}).table.SerializeAsString());
}

TEST(FlowFigures, CountWhatHappenedWithinThePeriod) {
  FlowEntry entry = Some(1, "a")[0];
  EXPECT_TRUE(CountsIn(entry, v1::FLOW_MEASURE_SENT, kWeek));
  entry.sent_us = kWeek.begin_us - 1;
  EXPECT_FALSE(CountsIn(entry, v1::FLOW_MEASURE_SENT, kWeek));
  entry.sent_us = kWeek.end_us;
  EXPECT_FALSE(CountsIn(entry, v1::FLOW_MEASURE_SENT, kWeek));
  EXPECT_FALSE(CountsIn(entry, v1::FLOW_MEASURE_WAITING, kWeek));
}

TEST(FlowFigures, CountAsWaitingWhatWaitedWhenThePeriodEnded) {
  FlowEntry entry = Some(1, "a")[0];
  EXPECT_TRUE(CountsIn(entry, v1::FLOW_MEASURE_WAITING, kWeek));
  entry.ended_us = kWeek.end_us - 1;
  EXPECT_FALSE(CountsIn(entry, v1::FLOW_MEASURE_WAITING, kWeek));
  entry.ended_us = kWeek.end_us;
  EXPECT_TRUE(CountsIn(entry, v1::FLOW_MEASURE_WAITING, kWeek))
      << "what comes later changes nothing";
  EXPECT_FALSE(CountsIn(entry, v1::FLOW_MEASURE_WAITING_LONG, kWeek));
  entry.sent_us = kWeek.begin_us - 1;
  EXPECT_TRUE(CountsIn(entry, v1::FLOW_MEASURE_WAITING_LONG, kWeek));
}

TEST(FlowFigures, CountAsStalledWhatWaitsForLongerThanItsTerm) {
  FlowEntry entry = Some(1, "a")[0];
  EXPECT_FALSE(CountsIn(entry, v1::FLOW_MEASURE_STALLED, kWeek)) << "it has none";
  entry.stalled_us = kWeek.end_us + 1;
  EXPECT_FALSE(CountsIn(entry, v1::FLOW_MEASURE_STALLED, kWeek));
  entry.stalled_us = kWeek.end_us;
  EXPECT_TRUE(CountsIn(entry, v1::FLOW_MEASURE_STALLED, kWeek));
  entry.ended_us = kWeek.end_us - 1;
  EXPECT_FALSE(CountsIn(entry, v1::FLOW_MEASURE_STALLED, kWeek));
}

TEST(FlowFigures, CountARefusalWhenItCame) {
  FlowEntry entry = Some(1, "a")[0];
  entry.sent_us = kWeek.begin_us - kWeekUs;
  entry.ended_us = kWeek.begin_us;
  EXPECT_FALSE(CountsIn(entry, v1::FLOW_MEASURE_REFUSED, kWeek)) << "it was acknowledged";
  entry.refused = true;
  EXPECT_TRUE(CountsIn(entry, v1::FLOW_MEASURE_REFUSED, kWeek));
}

TEST(FlowFigures, CountAPersonFromWhenTheyAreKnown) {
  FlowEntry entry = Some(1, "a")[0];
  entry.known_us = kWeek.end_us;
  EXPECT_FALSE(CountsIn(entry, v1::FLOW_MEASURE_SENT, kWeek));
  entry.known_us = kWeek.end_us - 1;
  EXPECT_TRUE(CountsIn(entry, v1::FLOW_MEASURE_SENT, kWeek));
}

TEST(FlowFigures, AreByPlaceAndPartiesAsTheirLevelSays) {
  const auto entries = Some(6, "a") + Some(6, "b", 100);
  EXPECT_THAT(Rows(Sent(entries).table), IsEmpty());
  const auto region = Sent(
      entries, {v1::FLOW_PERIOD_KIND_WEEK, v1::FLOW_PLACE_REGION, v1::FLOW_PARTIES_SIGNAL_TYPE});
  ASSERT_THAT(Rows(region.table), ElementsAre(std::pair("region", 10u)));
  EXPECT_EQ(region.table.rows(0).signal_type(), "debt");
  EXPECT_EQ(region.table.rows(0).sender_sector(), "");
  const auto pair = Sent(
      entries, {v1::FLOW_PERIOD_KIND_WEEK, v1::FLOW_PLACE_REGION, v1::FLOW_PARTIES_SECTOR_PAIR});
  EXPECT_EQ(pair.table.rows(0).signal_type(), "");
  EXPECT_EQ(pair.table.rows(0).sender_sector(), "housing");
  EXPECT_EQ(pair.table.rows(0).recipient_sector(), "social-services");
}

class Ladder : public ::testing::Test {
 protected:
  v1::FlowTable Choose() {
    return ChooseFigures(
        [this](v1::FlowPeriodKind kind) {
          const auto found = inputs_.find(kind);
          return found == inputs_.end() ? nullptr : &found->second;
        },
        v1::FLOW_MEASURE_SENT, "region");
  }
  std::map<v1::FlowPeriodKind, FlowInput> inputs_ = {{v1::FLOW_PERIOD_KIND_WEEK, {{}, {kWeek}}}};
};

TEST_F(Ladder, KeepsTheFinestOfWhichAFifthAtMostIsLeftOut) {
  auto& entries = inputs_[v1::FLOW_PERIOD_KIND_WEEK].entries;
  // Four rows and a total, of which none is left out; then two of six and a total.
  for (uint64_t i = 0; i < 4; ++i)
    entries = entries + Some(12, std::string(1, static_cast<char>('a' + i)), i * 100);
  EXPECT_EQ(Choose().place(), v1::FLOW_PLACE_MUNICIPALITY);
  entries = entries + Some(7, "x", 1000) + Some(7, "y", 1100);
  const auto table = Choose();
  EXPECT_EQ(table.place(), v1::FLOW_PLACE_REGION);
  EXPECT_EQ(table.parties(), v1::FLOW_PARTIES_SIGNAL_TYPE);
  EXPECT_FALSE(table.mostly_left_out());
}

TEST_F(Ladder, LooksAtPairsOfSectorsWhenTypesAreTooFew) {
  auto& entries = inputs_[v1::FLOW_PERIOD_KIND_WEEK].entries;
  for (uint64_t i = 0; i < 6; ++i) {
    for (auto entry : Some(4, "a", i * 100)) {
      entry.signal_type = std::string(1, static_cast<char>('a' + i));
      entries.push_back(entry);
    }
  }
  const auto table = Choose();
  EXPECT_EQ(table.period_kind(), v1::FLOW_PERIOD_KIND_WEEK);
  EXPECT_EQ(table.parties(), v1::FLOW_PARTIES_SECTOR_PAIR);
  EXPECT_EQ(table.rows(0).persons(0), 25u);  // 24
}

TEST_F(Ladder, LooksAtMonthsAndQuartersWhenWeeksAreTooFew) {
  inputs_[v1::FLOW_PERIOD_KIND_WEEK].entries = Some(6, "a");
  FlowInput month = {Some(8, "a"), {kWeek}};
  FlowInput quarter = {Some(30, "a"), {kWeek}};
  inputs_[v1::FLOW_PERIOD_KIND_MONTH] = month;
  inputs_[v1::FLOW_PERIOD_KIND_QUARTER] = quarter;
  const auto table = Choose();
  EXPECT_EQ(table.period_kind(), v1::FLOW_PERIOD_KIND_QUARTER);
  EXPECT_EQ(table.place(), v1::FLOW_PLACE_MUNICIPALITY);
  EXPECT_EQ(table.totals(0), 30u);
}

TEST_F(Ladder, SaysWhenEvenTheCoarsestLeavesOutMore) {
  inputs_[v1::FLOW_PERIOD_KIND_WEEK].entries = Some(6, "a");
  const auto table = Choose();
  EXPECT_TRUE(table.mostly_left_out());
  EXPECT_EQ(table.parties(), v1::FLOW_PARTIES_SECTOR_PAIR);
  EXPECT_THAT(Rows(table), IsEmpty());
}

TEST(FlowBands, AreWide) {
  EXPECT_EQ(BandOf(0), v1::FLOW_BAND_FEWER_THAN_10);
  EXPECT_EQ(BandOf(9), v1::FLOW_BAND_FEWER_THAN_10);
  EXPECT_EQ(BandOf(10), v1::FLOW_BAND_FROM_10);
  EXPECT_EQ(BandOf(49), v1::FLOW_BAND_FROM_10);
  EXPECT_EQ(BandOf(50), v1::FLOW_BAND_FROM_50);
  EXPECT_EQ(BandOf(199), v1::FLOW_BAND_FROM_50);
  EXPECT_EQ(BandOf(200), v1::FLOW_BAND_FROM_200);
  EXPECT_EQ(BandOf(1000), v1::FLOW_BAND_FROM_1000);
}

}  // namespace
}  // namespace schakel::query
