#include "broker/query/subject_report.h"

#include "tests/unit/query/query_fixture.h"

namespace schakel::query {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class SubjectReportTest : public QueryTest {
 protected:
  v1::SubjectReportRequest Request(const v1::SubjectRef& subject) {
    v1::SubjectReportRequest request;
    request.set_request_id(f.random().Take(16));
    *request.mutable_subject() = subject;
    request.set_ground("access request");
    request.set_reference("A-1");
    return request;
  }
  std::vector<v1::SubjectReportEntry> All(const OrganisationId& auditor,
                                          v1::SubjectReportRequest request,
                                          uint32_t page_size = 0) {
    request.set_page_size(page_size);
    std::vector<v1::SubjectReportEntry> lines;
    for (;;) {
      auto page = SubjectReport(state(), bundles, tokens, auditor, Look(auditor), request);
      EXPECT_TRUE(page.ok()) << page.error().message;
      if (!page.ok()) return lines;
      lines.insert(lines.end(), page->entries().begin(), page->entries().end());
      if (page->next_page_token().empty()) return lines;
      request.set_page_token(page->next_page_token());
    }
  }
};

TEST_F(SubjectReportTest, SaysUpToWhenItIsWholeAndTheSameOfEverybody) {
  PlayStory(Linked("a"));
  f.AdvanceAndTick(std::chrono::hours(24 * 100));
  f.AdvanceAndSweep(std::chrono::hours(24 * 1100));
  EXPECT_TRUE(All(sample::kAuditor, Request(Linked("a"))).empty());
  const auto about = [&](const std::string& name) {
    auto grant = Look(sample::kAuditor);
    auto page =
        SubjectReport(state(), bundles, tokens, sample::kAuditor, grant, Request(Linked(name)));
    EXPECT_TRUE(page.ok());
    page->clear_receipt();
    return page->SerializeAsString();
  };
  // With records that are gone, and with none that ever were.
  EXPECT_EQ(about("a"), about("nobody"));
  auto page = SubjectReport(state(), bundles, tokens, sample::kAuditor, Look(sample::kAuditor),
                            Request(Linked("a")));
  EXPECT_EQ(page->destroyed().rule(), "retention.details.query");
  EXPECT_EQ(page->destroyed().bundle_digest(), schakel::testing::Reference().digest.str());
  EXPECT_EQ(page->destroyed().before().seconds(), f.now().count() / 1'000'000 - 365 * 86'400);
}

TEST_F(SubjectReportTest, TellsWhoDidWhatWithTheirNames) {
  auto subject = Linked("a");
  PlayStory(subject);
  auto lines = All(sample::kRegionAuditor, Request(subject));
  std::map<v1::RecordKind, int> kinds;
  uint64_t last = 0;
  for (const auto& line : lines) {
    EXPECT_TRUE(last == 0 || line.index() > last);
    last = line.index();
    ++kinds[line.kind()];
    EXPECT_FALSE(line.organisation_name().empty()) << line.organisation();
  }
  // Arrears (by attachment), four about care, one about violence; the partner's own is not here.
  EXPECT_EQ(kinds[v1::RECORD_KIND_PUBLISH], 6);
  EXPECT_EQ(kinds[v1::RECORD_KIND_DELIVERY], 4);
  EXPECT_EQ(kinds[v1::RECORD_KIND_SUBJECT_ATTACHED], 1);
  EXPECT_EQ(kinds[v1::RECORD_KIND_ACKNOWLEDGEMENT], 1);
  EXPECT_EQ(kinds[v1::RECORD_KIND_STATEMENT], 1);
  EXPECT_EQ(kinds[v1::RECORD_KIND_WITHDRAWAL], 1);
  EXPECT_EQ(kinds[v1::RECORD_KIND_WITHHELD], 1);
  EXPECT_EQ(kinds[v1::RECORD_KIND_CONSULTATION], 1);
}

TEST_F(SubjectReportTest, FollowsAnAttachmentToWhatWasSentWithoutPseudonym) {
  auto subject = Linked("a");
  f.Accept(f.Arrears());  // another tenant
  f.Acknowledge(sample::kDebtRelief, f.Pull(sample::kDebtRelief).items[0].delivery_id);
  Arrears(subject);
  auto lines = All(sample::kRegionAuditor, Request(subject));
  ASSERT_EQ(lines.size(), 4u);  // sent, delivered, attached, acknowledged
  EXPECT_EQ(lines[0].kind(), v1::RECORD_KIND_PUBLISH);
  EXPECT_EQ(lines[0].organisation(), sample::kCorporation.str());
  EXPECT_EQ(lines[0].organisation_name(), "Woningcorporatie (test)");
  EXPECT_THAT(lines[0].recipients(), ElementsAre(sample::kDebtRelief.str()));
  EXPECT_EQ(lines[0].signal_type(), "rent-arrears");
  EXPECT_EQ(lines[0].sections_size(), 3);
  EXPECT_EQ(lines[1].kind(), v1::RECORD_KIND_DELIVERY);
  EXPECT_TRUE(lines[1].recipients().empty());
}

TEST_F(SubjectReportTest, NamesOnlyRecipientsThatGotSomethingAboutThisSubject) {
  auto spec = f.Violence(Linked("a"));
  spec.recipients.push_back(sample::kTeam);
  spec.subjects.push_back(Linked("b"));
  spec.sections = {{"safety", "wmo-veilig-thuis", {0}}, {"social", "wmo-veilig-thuis", {1}}};
  f.Accept(spec);
  auto a = All(sample::kRegionAuditor, Request(Linked("a")));
  auto b = All(sample::kRegionAuditor, Request(Linked("b")));
  ASSERT_EQ(a.size(), 1u);
  ASSERT_EQ(b.size(), 1u);
  EXPECT_THAT(a[0].recipients(), ElementsAre(sample::kCentre.str()));
  EXPECT_THAT(b[0].recipients(), UnorderedElementsAre(sample::kCentre.str(), sample::kTeam.str()));
}

TEST_F(SubjectReportTest, KeepsScopeOwnToItsOwnRecords) {
  auto subject = Linked("a");
  PlayStory(subject);
  auto lines = All(sample::kAuditor, Request(subject));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].organisation(), sample::kPolice.str());

  // The corporation's own auditor does not learn whom debt relief linked its tenant to.
  auto grant = Look(sample::kAuditor);
  grant.organisations = {sample::kCorporation.str()};
  auto request = Request(subject);
  EXPECT_EQ(
      SubjectReport(state(), bundles, tokens, sample::kAuditor, grant, request)->entries_size(), 0);
  grant.organisations = {sample::kDebtRelief.str()};
  auto of_debt_relief = SubjectReport(state(), bundles, tokens, sample::kAuditor, grant, request);
  ASSERT_TRUE(of_debt_relief.ok());
  EXPECT_EQ(of_debt_relief->entries_size(), 3);  // delivered, attached, acknowledged
}

TEST_F(SubjectReportTest, ComesInPagesThatAreOneReport) {
  auto subject = Linked("a");
  PlayStory(subject);
  auto whole = All(sample::kRegionAuditor, Request(subject));
  auto paged = All(sample::kRegionAuditor, Request(subject), 2);
  ASSERT_EQ(whole.size(), paged.size());
  for (size_t i = 0; i < whole.size(); ++i) EXPECT_EQ(whole[i].index(), paged[i].index());
}

TEST_F(SubjectReportTest, RefusesMalformedRequests) {
  auto refused = [&](v1::SubjectReportRequest request) {
    Status checked = CheckSubjectReport(tokens, sample::kAuditor, request);
    return checked.ok() ? "" : checked.error().reason + " " + checked.error().field;
  };
  auto request = Request(Linked("a"));
  EXPECT_EQ(refused(request), "");
  request.clear_subject();
  EXPECT_EQ(refused(request), "FIELD_MISSING subject");
  request.mutable_subject()->add_pairs()->set_value(Bytes(32, 'x'));
  EXPECT_EQ(refused(request), "UNLINKED_SUBJECT subject");
  request = Request(Linked("a"));
  request.clear_ground();
  EXPECT_EQ(refused(request), "FIELD_MISSING ground");
  request = Request(Linked("a"));
  request.clear_reference();
  EXPECT_EQ(refused(request), "FIELD_MISSING reference");
  request = Request(Linked("a"));
  request.set_page_size(1001);
  EXPECT_EQ(refused(request), "FIELD_INVALID page_size");
  request = Request(Linked("a"));
  request.set_page_token("AAAA");
  EXPECT_EQ(refused(request), "PAGE_TOKEN_INVALID page_token");
}

}  // namespace
}  // namespace schakel::query
