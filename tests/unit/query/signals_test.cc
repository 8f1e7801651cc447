#include "broker/query/signals.h"

#include <algorithm>

#include "tests/unit/query/query_fixture.h"

namespace schakel::query {
namespace {

class SignalsTest : public QueryTest {
 protected:
  Result<v1::GetSignalResponse> Get(const OrganisationId& caller, const Bytes& id) {
    v1::GetSignalRequest request;
    request.set_signal_id(id);
    return GetSignal(state(), caller, request);
  }
  // All pages, with what each held.
  std::vector<Bytes> ListAll(const OrganisationId& caller, v1::ListSignalsRequest request,
                             std::vector<int>* sizes = nullptr) {
    std::vector<Bytes> ids;
    for (;;) {
      auto page = ListSignals(state(), tokens, caller, request);
      EXPECT_TRUE(page.ok());
      if (!page.ok()) return ids;
      for (const auto& signal : page->signals()) ids.push_back(signal.signal_id());
      if (sizes != nullptr) sizes->push_back(page->signals_size());
      if (page->next_page_token().empty()) return ids;
      request.set_page_token(page->next_page_token());
    }
  }
};

TEST_F(SignalsTest, ShowASignalToItsSenderAlone) {
  auto accepted = f.Accept(f.Violence(Linked("a")));
  auto got = Get(sample::kPolice, accepted.signal_id());
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->position(), f.machine().meta().position());
  EXPECT_EQ(got->signal().signal_type(), "domestic-violence-report");
  EXPECT_EQ(got->signal().outcomes(0).recipient(), sample::kCentre.str());
  EXPECT_EQ(got->signal().outcomes(0).state(), v1::RECIPIENT_STATE_QUEUED);
  EXPECT_EQ(got->signal().envelope_digest().size(), 32u);
  EXPECT_GT(got->signal().expires().seconds(), got->signal().published().seconds());

  auto other = Get(sample::kCentre, accepted.signal_id());
  auto unknown = Get(sample::kPolice, Bytes(16, 'x'));
  ASSERT_FALSE(other.ok());
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(other.error(), unknown.error());
  EXPECT_EQ(other.error().reason, "NOT_FOUND");
  EXPECT_EQ(Get(sample::kPolice, "short").error().field, "signal_id");
}

TEST_F(SignalsTest, AreListedNewestFirstInPages) {
  std::vector<Bytes> sent;
  for (int i = 0; i < 5; ++i) {
    f.Advance(std::chrono::seconds(1));
    sent.push_back(f.Accept(f.Violence(Linked("a"))).signal_id());
  }
  f.Accept(f.Arrears());  // somebody else's
  std::reverse(sent.begin(), sent.end());
  v1::ListSignalsRequest request;
  request.set_page_size(2);
  std::vector<int> sizes;
  EXPECT_EQ(ListAll(sample::kPolice, request, &sizes), sent);
  EXPECT_EQ(sizes, (std::vector<int>{2, 2, 1}));
  request.set_page_size(5);
  sizes.clear();
  EXPECT_EQ(ListAll(sample::kPolice, request, &sizes), sent);
  EXPECT_EQ(sizes, (std::vector<int>{5}));
  EXPECT_TRUE(ListAll(sample::kCentre, request).empty());
}

TEST_F(SignalsTest, AreListedByStateWhateverElseWasSent) {
  for (int i = 0; i < 4; ++i) f.Accept(f.Violence(Linked("a")));
  auto leased = f.Pull(sample::kCentre, 1);
  ASSERT_EQ(leased.items.size(), 1u);
  f.Acknowledge(sample::kCentre, leased.items[0].delivery_id);
  v1::ListSignalsRequest request;
  request.add_states(v1::RECIPIENT_STATE_ACKNOWLEDGED);
  EXPECT_EQ(ListAll(sample::kPolice, request).size(), 1u);
  request.add_states(v1::RECIPIENT_STATE_QUEUED);
  request.set_page_size(1);
  EXPECT_EQ(ListAll(sample::kPolice, request).size(), 4u);
  request.add_states(v1::RECIPIENT_STATE_UNSPECIFIED);
  EXPECT_EQ(ListSignals(state(), tokens, sample::kPolice, request).error().field, "states");
}

TEST_F(SignalsTest, AreNotListedByATokenOfAnotherCallerOrFilter) {
  for (int i = 0; i < 3; ++i) f.Accept(f.Violence(Linked("a")));
  v1::ListSignalsRequest request;
  request.set_page_size(1);
  auto page = ListSignals(state(), tokens, sample::kPolice, request);
  ASSERT_TRUE(page.ok());
  request.set_page_token(page->next_page_token());
  EXPECT_EQ(ListSignals(state(), tokens, sample::kCentre, request).error().reason,
            "PAGE_TOKEN_INVALID");
  request.add_states(v1::RECIPIENT_STATE_QUEUED);
  EXPECT_EQ(ListSignals(state(), tokens, sample::kPolice, request).error().reason,
            "PAGE_TOKEN_INVALID");
  request.set_page_size(1001);
  EXPECT_EQ(ListSignals(state(), tokens, sample::kPolice, request).error().field, "page_size");
}

TEST_F(SignalsTest, TellWhatBecameOfThemInOrderByCursor) {
  f.Accept(f.Violence(Linked("a")));
  f.Accept(f.Violence(Linked("b")));
  auto leased = f.Pull(sample::kCentre);
  for (const auto& item : leased.items) f.Acknowledge(sample::kCentre, item.delivery_id);
  auto all = f.Feed(sample::kPolice);
  ASSERT_EQ(all.size(), 6u);  // twice queued, delivered, acknowledged

  std::vector<Bytes> cursors;
  v1::ReadOutcomesRequest request;
  request.set_page_size(4);
  for (bool more = true; more;) {
    auto page = ReadOutcomes(state(), sample::kPolice, request);
    ASSERT_TRUE(page.ok());
    ASSERT_GT(page->events_size(), 0);
    for (const auto& event : page->events()) cursors.push_back(event.cursor());
    more = page->more();
    request.set_after(cursors.back());
  }
  ASSERT_EQ(cursors.size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(cursors[i], all[i].cursor());
  auto end = ReadOutcomes(state(), sample::kPolice, request);
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->events_size(), 0);
  EXPECT_FALSE(end->more());
  EXPECT_EQ(ReadOutcomes(state(), sample::kCentre, {})->events_size(), 0);
  request.set_after("short");
  EXPECT_EQ(ReadOutcomes(state(), sample::kPolice, request).error().field, "after");
}

}  // namespace
}  // namespace schakel::query
