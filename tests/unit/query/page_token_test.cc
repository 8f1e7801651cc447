#include "broker/query/page_token.h"

#include <gtest/gtest.h>

#include "schakel/v1/audit.pb.h"

namespace schakel::query {
namespace {

const ListId kList{"ListSignals", "00000099000000001001", "filter"};

std::string Reason(const Result<std::optional<Bytes>>& opened) {
  return opened.ok() ? "" : opened.error().reason;
}

TEST(PageToken, GivesBackTheCursorOfItsOwnList) {
  PageTokens tokens = PageTokens::Fresh();
  auto token = tokens.Seal(kList, "cursor");
  ASSERT_TRUE(token.ok());
  auto opened = tokens.Open(kList, *token);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(*opened, Bytes("cursor"));
  EXPECT_EQ(token->find("cursor"), std::string::npos);
}

TEST(PageToken, IsTheFirstPageWhenEmpty) {
  auto opened = PageTokens::Fresh().Open(kList, "");
  ASSERT_TRUE(opened.ok());
  EXPECT_FALSE(opened->has_value());
}

TEST(PageToken, IsRefusedByAnotherListCallerFilterOrKey) {
  PageTokens tokens = PageTokens::Fresh();
  std::string token = *tokens.Seal(kList, "cursor");
  ListId rpc = kList;
  rpc.rpc = "ListStatements";
  ListId caller = kList;
  caller.caller = "00000099000000002000";
  ListId filter = kList;
  filter.filter = "other";
  for (const auto& list : {rpc, caller, filter}) {
    EXPECT_EQ(Reason(tokens.Open(list, token)), "PAGE_TOKEN_INVALID");
  }
  EXPECT_EQ(Reason(PageTokens::Fresh().Open(kList, token)), "PAGE_TOKEN_INVALID");
}

TEST(PageToken, IsRefusedWithAnyByteChangedOrMissing) {
  PageTokens tokens = PageTokens::Fresh();
  std::string token = *tokens.Seal(kList, "cursor");
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(Reason(tokens.Open(kList, changed)), "PAGE_TOKEN_INVALID") << i;
    EXPECT_EQ(Reason(tokens.Open(kList, token.substr(0, i + 1 == token.size() ? i : i + 1))),
              "PAGE_TOKEN_INVALID")
        << i;
  }
  EXPECT_EQ(Reason(tokens.Open(kList, std::string(10'000, 'A'))), "PAGE_TOKEN_INVALID");
  EXPECT_EQ(Reason(tokens.Open(kList, "\xff\xfe")), "PAGE_TOKEN_INVALID");
}

TEST(PageToken, IsBoundToAllOfARequestButWhatMayChangeFromPageToPage) {
  v1::QueryRecordsRequest a;
  a.set_request_id("one");
  a.set_page_size(5);
  a.set_page_token("token");
  a.mutable_filter()->set_actor("user-1");
  v1::QueryRecordsRequest b = a;
  b.set_request_id("two");
  b.set_page_size(7);
  b.set_page_token("other");
  EXPECT_EQ(FilterOf(a), FilterOf(b));
  b.mutable_filter()->set_actor("user-2");
  EXPECT_NE(FilterOf(a), FilterOf(b));
  b = a;
  b.set_with_details(true);
  EXPECT_NE(FilterOf(a), FilterOf(b));
}

TEST(PageSizes, DefaultTo100AndEndAt1000) {
  EXPECT_EQ(*PageSize(0), 100u);
  EXPECT_EQ(*PageSize(1000), 1000u);
  auto more = PageSize(1001);
  ASSERT_FALSE(more.ok());
  EXPECT_EQ(more.error().reason, "FIELD_INVALID");
  EXPECT_EQ(more.error().field, "page_size");
}

TEST(PageSizes, LeaveRoomForOneItemHoweverLarge) {
  PageRoom room(3, 100);
  EXPECT_TRUE(room.Take(1000));
  EXPECT_FALSE(room.Take(1));
  PageRoom by_bytes(3, 100);
  EXPECT_TRUE(by_bytes.Take(60));
  EXPECT_FALSE(by_bytes.Take(41));
  EXPECT_TRUE(by_bytes.Take(40));
  PageRoom by_items(2, 100);
  EXPECT_TRUE(by_items.Take(1));
  EXPECT_TRUE(by_items.Take(1));
  EXPECT_FALSE(by_items.Take(1));
}

}  // namespace
}  // namespace schakel::query
