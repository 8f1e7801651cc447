#include "broker/query/statements.h"

#include <algorithm>

#include "tests/unit/query/query_fixture.h"

namespace schakel::query {
namespace {

using schakel::testing::OrganisationAxis;

class StatementsTest : public QueryTest {
 protected:
  std::vector<Bytes> List(const OrganisationId& caller, v1::ListStatementsRequest request) {
    std::vector<Bytes> ids;
    for (;;) {
      auto page = ListStatements(state(), tokens, caller, request);
      EXPECT_TRUE(page.ok());
      if (!page.ok()) return ids;
      EXPECT_LE(page->statements_size(), 2);
      for (const auto& summary : page->statements()) {
        v1::Statement statement;
        EXPECT_TRUE(statement.ParseFromString(summary.statement()));
        ids.push_back(statement.statement_id());
      }
      if (page->next_page_token().empty()) return ids;
      request.set_page_token(page->next_page_token());
    }
  }
  static v1::ListStatementsRequest About(const v1::SubjectRef& subject) {
    v1::ListStatementsRequest request;
    request.set_page_size(2);
    *request.mutable_subject() = subject;
    return request;
  }
};

TEST_F(StatementsTest, AreListedToWhoRecordedThemAndToWhomTheyName) {
  auto subject = Linked("a");
  std::vector<Bytes> of_care;
  for (int i = 0; i < 5; ++i) {
    f.Advance(std::chrono::seconds(1));
    of_care.push_back(f.Record({.recorder = sample::kCare, .subject = subject}).str());
  }
  auto named = f.Record({.recorder = sample::kCare,
                         .subject = subject,
                         .recipient = OrganisationAxis(sample::kTeam)});
  auto by_centre = f.Record(
      {.recorder = sample::kCentre, .subject = subject, .sender = OrganisationAxis(sample::kCare)});
  f.Record({.recorder = sample::kCare, .subject = Linked("b")});
  of_care.push_back(named.str());
  of_care.push_back(by_centre.str());
  EXPECT_EQ(List(sample::kCare, About(subject)), of_care);  // in order of recording
  EXPECT_EQ(List(sample::kTeam, About(subject)), std::vector<Bytes>{named.str()});
  EXPECT_EQ(List(sample::kCentre, About(subject)), std::vector<Bytes>{by_centre.str()});
  EXPECT_TRUE(List(sample::kPolice, About(subject)).empty());
}

TEST_F(StatementsTest, WithoutASubjectAreTheCallersOwnAlone) {
  std::vector<Bytes> own;
  for (int i = 0; i < 5; ++i) {
    own.push_back(
        f.Record({.recorder = sample::kCare, .subject = Linked(std::to_string(i))}).str());
  }
  f.Record({.recorder = sample::kCentre,
            .subject = Linked("a"),
            .sender = OrganisationAxis(sample::kCare)});
  std::sort(own.begin(), own.end());
  v1::ListStatementsRequest request;
  request.set_page_size(2);
  EXPECT_EQ(List(sample::kCare, request), own);
  EXPECT_TRUE(List(sample::kPolice, request).empty());
}

TEST_F(StatementsTest, SayWhenTheyWereWithdrawn) {
  auto subject = Linked("a");
  auto id = f.Record({.recorder = sample::kCare, .subject = subject});
  auto before = ListStatements(state(), tokens, sample::kCare, About(subject));
  ASSERT_TRUE(before.ok());
  EXPECT_FALSE(before->statements(0).has_withdrawn());
  f.Advance(std::chrono::minutes(1));
  f.Withdraw(sample::kCare, id);
  auto after = ListStatements(state(), tokens, sample::kCare, About(subject));
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->statements(0).withdrawn().seconds(),
            after->statements(0).recorded().seconds() + 60);
}

TEST_F(StatementsTest, TokensOfOneSubjectDoNotOpenAnother) {
  auto subject = Linked("a");
  for (int i = 0; i < 3; ++i) f.Record({.recorder = sample::kCare, .subject = subject});
  auto page = ListStatements(state(), tokens, sample::kCare, About(subject));
  ASSERT_TRUE(page.ok());
  ASSERT_FALSE(page->next_page_token().empty());
  auto request = About(Linked("b"));
  request.set_page_token(page->next_page_token());
  EXPECT_EQ(ListStatements(state(), tokens, sample::kCare, request).error().reason,
            "PAGE_TOKEN_INVALID");
}

TEST_F(StatementsTest, EarlierDeliveriesGoToTheRecorderInPages) {
  auto subject = Linked("a");
  auto id = f.Record({.recorder = sample::kCare, .subject = subject});
  std::vector<Bytes> sent;
  for (int i = 0; i < 5; ++i) sent.push_back(f.Accept(f.Avoidance(subject)).signal_id());
  f.Pull(sample::kTeam);
  f.Withdraw(sample::kCare, id);

  v1::WithdrawStatementRequest request;
  request.set_page_size(2);
  std::vector<Bytes> read;
  for (int page = 0; page < 3; ++page) {
    v1::WithdrawStatementResponse response;
    ASSERT_TRUE(EarlierDeliveries(state(), tokens, sample::kCare, id, request, &response).ok());
    for (const auto& delivery : response.earlier_deliveries()) {
      EXPECT_EQ(delivery.recipient(), sample::kTeam.str());
      EXPECT_EQ(delivery.sender(), sample::kCare.str());
      EXPECT_THAT(delivery.categories(), ::testing::ElementsAre("daily-living"));
      read.push_back(delivery.signal_id());
    }
    EXPECT_EQ(response.next_page_token().empty(), page == 2);
    request.set_page_token(response.next_page_token());
  }
  EXPECT_EQ(read, sent);

  v1::WithdrawStatementResponse none;
  request.clear_page_token();
  auto other = EarlierDeliveries(state(), tokens, sample::kTeam, id, request, &none);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().reason, "NOT_FOUND");
  EXPECT_EQ(none.earlier_deliveries_size(), 0);
}

}  // namespace
}  // namespace schakel::query
