// The figures and the list of what stalls, over what the machine wrote.
#include "broker/query/flow.h"

#include "tests/unit/query/query_fixture.h"

namespace schakel::query {
namespace {

using namespace std::chrono_literals;

class FlowTest : public QueryTest {
 protected:
  v1::GetFlowResponse Get(Flow* flow, Micros ahead = 0us) {
    auto got = flow->Get(state(), bundles, static_cast<uint64_t>((f.now() + ahead).count()));
    SCHAKEL_CHECK(got.ok(), "the figures can be made");
    return *std::move(got);
  }
  // The last closed period of a measure, all of the region.
  static uint32_t Total(const v1::GetFlowResponse& flow, v1::FlowMeasure measure) {
    for (const auto& table : flow.tables()) {
      if (table.measure() == measure) return table.totals(0);
    }
    return 0;
  }
  // Violence reports about so many persons.
  void Report(int persons, int from = 0) {
    for (int i = from; i < from + persons; ++i) {
      f.Accept(f.Violence(Linked("person " + std::to_string(i))));
    }
  }
  // A command of a time, so that the machine has seen it.
  void Pass(Micros by) {
    f.AdvanceAndTick(by);
    f.Do(machine::Tick{});
  }
};

TEST_F(FlowTest, CountsAClosedWeekAndNotTheRunningOne) {
  Report(12);
  Flow flow;
  EXPECT_EQ(Total(Get(&flow), v1::FLOW_MEASURE_SENT), 0u);
  Pass(7 * 24h);
  const auto closed = Get(&flow);
  EXPECT_EQ(Total(closed, v1::FLOW_MEASURE_SENT), 10u);
  ASSERT_EQ(closed.tables_size(), 5);
  EXPECT_EQ(closed.tables(0).periods_size(), 5);
  EXPECT_EQ(closed.tables(0).rows(0).signal_type(), "domestic-violence-report");
}

TEST_F(FlowTest, CountsAWeekThatEndedQuietly) {
  Report(12);
  Flow flow;
  EXPECT_EQ(Total(Get(&flow, 8 * 24h), v1::FLOW_MEASURE_SENT), 10u);
}

TEST_F(FlowTest, CountsWhatWaitedStalledAndWasRefusedWhenTheWeekEnded) {
  Report(12);  // on a Monday morning; they live for five days
  Pass(4 * 24h);
  Report(20, 100);
  Pass(2 * 24h);
  const auto leased = f.Pull(sample::kCentre, 10);
  ASSERT_EQ(leased.items.size(), 10u);
  for (const auto& item : leased.items) f.Refuse(sample::kCentre, item.delivery_id, "");
  Pass(1 * 24h);
  Flow flow;
  const auto closed = Get(&flow);
  EXPECT_EQ(Total(closed, v1::FLOW_MEASURE_SENT), 30u);
  EXPECT_EQ(Total(closed, v1::FLOW_MEASURE_WAITING), 10u);
  EXPECT_EQ(Total(closed, v1::FLOW_MEASURE_STALLED), 10u);
  EXPECT_EQ(Total(closed, v1::FLOW_MEASURE_WAITING_LONG), 0u);
  EXPECT_EQ(Total(closed, v1::FLOW_MEASURE_REFUSED), 10u);
}

TEST_F(FlowTest, CountsAnUnlinkedPersonOnlyFromWhenSomebodyLinkedThem) {
  for (int i = 0; i < 12; ++i) f.Accept(f.Arrears());
  Pass(7 * 24h);
  Flow unlinked;
  EXPECT_EQ(Total(Get(&unlinked), v1::FLOW_MEASURE_SENT), 0u);
}

TEST_F(FlowTest, CountsLinkedPersonsOnceHoweverOftenTheyCame) {
  for (int i = 0; i < 12; ++i) Arrears(Linked("person " + std::to_string(i % 11)));
  Pass(7 * 24h);
  Flow flow;
  EXPECT_EQ(Total(Get(&flow), v1::FLOW_MEASURE_SENT), 10u);
}

TEST_F(FlowTest, KeepsAClosedWeekWhateverComesAfterIt) {
  Report(12);
  Pass(7 * 24h);
  Flow kept;
  const auto first = Get(&kept);
  Report(30, 1000);
  Pass(1h);
  Flow fresh;
  for (Flow* flow : {&kept, &fresh}) {
    const auto again = Get(flow);
    ASSERT_EQ(again.tables_size(), first.tables_size());
    for (int i = 0; i < first.tables_size(); ++i) {
      EXPECT_EQ(again.tables(i).SerializeAsString(), first.tables(i).SerializeAsString());
    }
  }
}

TEST_F(FlowTest, TellsOfNowInBands) {
  Flow flow;
  Report(9);
  Pass(2min);
  EXPECT_EQ(Get(&flow).waiting_now(), v1::FLOW_BAND_FEWER_THAN_10);
  Report(1, 50);
  EXPECT_EQ(Get(&flow).waiting_now(), v1::FLOW_BAND_FEWER_THAN_10) << "a minute old at most";
  Pass(2min);
  EXPECT_EQ(Get(&flow).waiting_now(), v1::FLOW_BAND_FROM_10);
  EXPECT_EQ(Get(&flow).stalled_now(), v1::FLOW_BAND_FEWER_THAN_10);
  Pass(24h);
  EXPECT_EQ(Get(&flow).stalled_now(), v1::FLOW_BAND_FROM_10);
}

TEST_F(FlowTest, ListsWhoMustActAndWhomToAsk) {
  const auto accepted = f.Accept(f.Violence(Linked("a")));
  Pass(24h);
  const auto listed = ListStalled(state(), tokens, sample::kChainDirector, {});
  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed->signals_size(), 1);
  const auto& row = listed->signals(0);
  EXPECT_EQ(row.alias(), accepted.alias());
  EXPECT_EQ(row.signal_type(), "domestic-violence-report");
  EXPECT_EQ(row.recipient(), sample::kCentre.str());
  EXPECT_EQ(row.recipient_name(), f.OrganisationOf(sample::kCentre).name());
  EXPECT_EQ(row.contact(), f.OrganisationOf(sample::kCentre).contact());
  EXPECT_EQ(row.waiting_since().seconds() % 86'400, 0) << "a day and no time";
  EXPECT_EQ(row.term().seconds(), 86'400);
  EXPECT_FALSE(row.dead_letter());
  EXPECT_FALSE(row.has_reminded());
  ASSERT_FALSE(f.DoAs(sample::kChainDirector,
                      machine::Remind{*RequestId::From(Bytes(16, 'r')), accepted.alias()})
                   .refused);
  const auto after = ListStalled(state(), tokens, sample::kChainDirector, {});
  EXPECT_EQ(after->signals(0).reminded().seconds() % 86'400, 0);
  EXPECT_TRUE(after->signals(0).has_reminded());
}

TEST_F(FlowTest, ListsInPagesThatLeaveNothingOut) {
  Report(7);
  Pass(24h);
  v1::ListStalledRequest request;
  request.set_page_size(3);
  std::vector<std::string> aliases;
  std::vector<int> sizes;
  do {
    const auto page = ListStalled(state(), tokens, sample::kChainDirector, request);
    ASSERT_TRUE(page.ok());
    for (const auto& signal : page->signals()) aliases.push_back(signal.alias());
    sizes.push_back(page->signals_size());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(sizes, (std::vector<int>{3, 3, 1}));
  EXPECT_TRUE(std::is_sorted(aliases.begin(), aliases.end()));
  EXPECT_EQ(std::set(aliases.begin(), aliases.end()).size(), 7u);
  request.set_page_size(1001);
  EXPECT_EQ(ListStalled(state(), tokens, sample::kChainDirector, request).error().field,
            "page_size");
}

}  // namespace
}  // namespace schakel::query
