#include "broker/query/records.h"

#include <algorithm>
#include <functional>
#include <set>

#include "broker/base/limits.h"
#include "broker/merkle/entry.h"
#include "broker/query/index_source.h"
#include "tests/unit/query/query_fixture.h"

namespace schakel::query {
namespace {

class RecordsTest : public QueryTest {
 protected:
  v1::QueryRecordsRequest Request() {
    v1::QueryRecordsRequest request;
    request.set_request_id(f.random().Take(16));
    request.set_ground("supervision");
    request.set_reference("A-1");
    return request;
  }

  // Every page, each by a look of its own as the broker takes it.
  std::vector<v1::Record> All(const OrganisationId& auditor, v1::QueryRecordsRequest request,
                              uint32_t page_size = 0) {
    request.set_page_size(page_size);
    std::vector<v1::Record> records;
    for (;;) {
      auto page = QueryRecords(state(), tokens, auditor, Look(auditor), request);
      EXPECT_TRUE(page.ok()) << page.error().message;
      if (!page.ok()) return records;
      for (const auto& audited : page->records()) {
        auto& record = records.emplace_back();
        EXPECT_TRUE(record.ParseFromString(audited.record()));
        EXPECT_EQ(record.index(), audited.index());
        EXPECT_LT(audited.index(), page->tree_size());
      }
      if (page->next_page_token().empty()) return records;
      request.set_page_token(page->next_page_token());
    }
  }

  static std::vector<uint64_t> Indexes(const std::vector<v1::Record>& records) {
    std::vector<uint64_t> indexes;
    for (const auto& record : records) indexes.push_back(record.index());
    return indexes;
  }

  // What a filter finds in the whole log, looked up slowly.
  template <typename Matches>
  std::vector<uint64_t> Slowly(uint64_t end, const Matches& matches) {
    std::vector<uint64_t> indexes;
    for (const auto& record : f.Records()) {
      if (record.index() < end && matches(record)) indexes.push_back(record.index());
    }
    return indexes;
  }

  bool IsAboutSubject(const v1::Record& record, const v1::SubjectRef& subject) {
    if (record.detail_commitment().empty()) return false;
    return f.DetailOf(record.index()).subject().SerializeAsString() == subject.SerializeAsString();
  }
};

TEST_F(RecordsTest, GivesARegionsAuditorEverythingOldestFirst) {
  PlayStory(Linked("a"));
  uint64_t before = f.machine().meta().tree_size();
  auto found = Indexes(All(sample::kRegionAuditor, Request(), 7));
  std::vector<uint64_t> every(before);
  for (uint64_t i = 0; i < before; ++i) every[i] = i;
  EXPECT_EQ(found, every);  // later pages keep to the tree of the first
}

TEST_F(RecordsTest, FindsWhatASlowSearchFinds) {
  auto subject = Linked("a");
  PlayStory(subject);
  const uint64_t end = f.machine().meta().tree_size();

  const auto publish = f.RecordsOf(v1::RECORD_KIND_PUBLISH).back();
  const uint64_t middle_us = f.RecordsOf(v1::RECORD_KIND_STATEMENT)[0].time_us();

  auto expect = [&](const char* what, const v1::RecordFilter& filter, auto matches) {
    auto request = Request();
    *request.mutable_filter() = filter;
    auto slow = Slowly(end, matches);
    ASSERT_FALSE(slow.empty()) << what;
    auto fast = Indexes(All(sample::kRegionAuditor, request, 3));
    // The looks of the pages themselves may match too; they come later than what was there.
    fast.erase(std::remove_if(fast.begin(), fast.end(), [&](uint64_t i) { return i >= end; }),
               fast.end());
    EXPECT_EQ(fast, slow) << what;
  };
  v1::RecordFilter filter;
  filter.set_organisation(sample::kCare.str());
  expect("organisation", filter,
         [&](const auto& r) { return r.organisation() == sample::kCare.str(); });
  filter.Clear();
  filter.set_actor("user-1");
  expect("actor", filter, [&](const auto& r) { return r.actor() == "user-1"; });
  filter.Clear();
  filter.add_kinds(v1::RECORD_KIND_DELIVERY);
  filter.add_kinds(v1::RECORD_KIND_WITHHELD);
  expect("kinds", filter, [&](const auto& r) {
    return r.kind() == v1::RECORD_KIND_DELIVERY || r.kind() == v1::RECORD_KIND_WITHHELD;
  });
  filter.Clear();
  filter.set_signal_id(publish.signal_id());
  expect("signal", filter, [&](const auto& r) { return r.signal_id() == publish.signal_id(); });
  filter.Clear();
  filter.set_ground("wmo-veilig-thuis");
  expect("ground", filter, [&](const auto& r) {
    return std::any_of(r.sections().begin(), r.sections().end(),
                       [](const auto& s) { return s.ground() == "wmo-veilig-thuis"; });
  });
  filter.Clear();
  filter.set_outcome(v1::OUTCOME_DENIED);
  expect("outcome", filter, [&](const auto& r) { return r.outcome() == v1::OUTCOME_DENIED; });
  filter.Clear();
  *filter.mutable_subject() = subject;
  expect("subject", filter, [&](const auto& r) { return IsAboutSubject(r, subject); });
  filter.set_organisation(sample::kPolice.str());
  expect("subject and organisation", filter, [&](const auto& r) {
    return IsAboutSubject(r, subject) && r.organisation() == sample::kPolice.str();
  });
  filter.Clear();
  filter.mutable_from()->set_seconds(static_cast<int64_t>(middle_us / 1'000'000));
  expect("from", filter, [&](const auto& r) { return r.time_us() >= middle_us; });
  *filter.mutable_until() = filter.from();
  filter.mutable_until()->set_seconds(filter.from().seconds() + 60);
  expect("from and until", filter, [&](const auto& r) {
    return r.time_us() >= middle_us && r.time_us() < middle_us + 60'000'000;
  });
  filter.clear_from();
  expect("until", filter, [&](const auto& r) { return r.time_us() < middle_us + 60'000'000; });
}

TEST_F(RecordsTest, GivesAnAuditorWithScopeOwnNoRecordOfOthersByAnyFilter) {
  auto subject = Linked("a");
  PlayStory(subject);
  const std::set<std::string> own = {sample::kAuditor.str(), sample::kPolice.str()};
  std::vector<v1::RecordFilter> filters(1);
  for (const auto& record : f.Records()) {
    filters.emplace_back().set_organisation(record.organisation());
    filters.emplace_back().set_actor(record.actor());
    filters.emplace_back().add_kinds(record.kind());
    filters.emplace_back().set_signal_id(record.signal_id());
    filters.emplace_back().set_outcome(record.outcome());
    for (const auto& section : record.sections()) {
      filters.emplace_back().set_ground(section.ground());
    }
    auto& time = filters.emplace_back();
    time.mutable_from()->set_seconds(static_cast<int64_t>(record.time_us() / 1'000'000));
  }
  *filters.emplace_back().mutable_subject() = subject;
  *filters.emplace_back().mutable_subject() = Linked("partner");
  size_t found = 0;
  for (const auto& filter : filters) {
    auto request = Request();
    *request.mutable_filter() = filter;
    request.set_with_details(true);
    for (const auto& record : All(sample::kAuditor, request, 50)) {
      EXPECT_EQ(own.count(record.organisation()), 1u) << record.organisation();
      ++found;
    }
  }
  EXPECT_GT(found, 0u);
}

TEST_F(RecordsTest, GivesScopeOwnAllOfItsOwn) {
  PlayStory(Linked("a"));
  const uint64_t end = f.machine().meta().tree_size();
  EXPECT_EQ(Indexes(All(sample::kAuditor, Request(), 2)), Slowly(end, [&](const auto& r) {
              return r.organisation() == sample::kPolice.str() ||
                     r.organisation() == sample::kAuditor.str();
            }));
}

TEST_F(RecordsTest, NamesTheRecordsOfAPartyFromAnyPlaceToAnyOther) {
  PlayStory(Linked("a"));
  const uint64_t end = f.machine().meta().tree_size();
  const auto all =
      Slowly(end, [&](const auto& r) { return r.organisation() == sample::kPolice.str(); });
  ASSERT_GT(all.size(), f.CountKeys(store::Family::kLocal,
                                    machine::keys::PartyIndexPrefix(sample::kPolice.str())))
      << "an entry holds several records";
  for (uint64_t from = 0; from <= end; ++from) {
    for (uint64_t to = from; to <= end; ++to) {
      std::vector<uint64_t> expected;
      std::copy_if(all.begin(), all.end(), std::back_inserter(expected),
                   [&](uint64_t index) { return index >= from && index < to; });
      std::vector<uint64_t> found;
      auto source = IndexSource::Of(
          state(), {machine::keys::PartyIndexPrefix(sample::kPolice.str())}, from, to);
      for (auto next = source.Next().value(); next; next = source.Next().value()) {
        found.push_back(*next);
      }
      ASSERT_EQ(found, expected) << from << " to " << to;
    }
  }
}

TEST_F(RecordsTest, RefusesTheTokenOfAnotherAuditorOrFilter) {
  PlayStory(Linked("a"));
  auto request = Request();
  request.set_page_size(2);
  auto page =
      QueryRecords(state(), tokens, sample::kRegionAuditor, Look(sample::kRegionAuditor), request);
  ASSERT_TRUE(page.ok());
  request.set_page_token(page->next_page_token());
  EXPECT_EQ(QueryRecords(state(), tokens, sample::kAuditor, Look(sample::kAuditor), request)
                .error()
                .reason,
            "PAGE_TOKEN_INVALID");
  request.mutable_filter()->set_actor("user-1");
  EXPECT_EQ(CheckQueryRecords(tokens, sample::kRegionAuditor, request).error().reason,
            "PAGE_TOKEN_INVALID");
}

TEST_F(RecordsTest, OpensRecordsAndOnDemandDetails) {
  PlayStory(Linked("a"));
  auto request = Request();
  request.mutable_filter()->add_kinds(v1::RECORD_KIND_PUBLISH);
  auto grant = Look(sample::kRegionAuditor);
  auto plain = QueryRecords(state(), tokens, sample::kRegionAuditor, grant, request);
  request.set_with_details(true);
  auto detailed = QueryRecords(state(), tokens, sample::kRegionAuditor, grant, request);
  ASSERT_TRUE(plain.ok());
  ASSERT_TRUE(detailed.ok());
  EXPECT_EQ(plain->scope(), "region");
  EXPECT_EQ(plain->tree_size(), grant.tree_size);
  EXPECT_EQ(plain->receipt().index(), grant.receipt.index());
  ASSERT_GT(plain->records_size(), 0);
  ASSERT_EQ(plain->records_size(), detailed->records_size());
  for (int i = 0; i < plain->records_size(); ++i) {
    EXPECT_TRUE(plain->records(i).detail().empty());
    EXPECT_TRUE(plain->records(i).detail_salt().empty());
    const auto& audited = detailed->records(i);
    v1::Record record;
    ASSERT_TRUE(record.ParseFromString(audited.record()));
    auto salt = *merkle::DetailSalt::From(audited.detail_salt());
    EXPECT_EQ(record.detail_commitment(), merkle::DetailCommitment(salt, audited.detail()).str());
  }
}

TEST_F(RecordsTest, ShowsWhatIsLeftOfDestroyedRecordsToARegionWithoutFilter) {
  PlayStory(Linked("a"));
  const uint64_t before = f.machine().meta().tree_size();
  f.AdvanceAndSweep(std::chrono::hours(24 * 1827));
  // Its scope ended with the year, so somebody must vouch for another one.
  auto grant = Look(sample::kRegionAuditor);
  EXPECT_FALSE(grant.region);
  grant.region = true;
  auto request = Request();
  request.set_page_size(1000);
  auto all = QueryRecords(state(), tokens, sample::kRegionAuditor, grant, request);
  ASSERT_TRUE(all.ok());
  ASSERT_GT(all->records_size(), static_cast<int>(before));
  std::set<std::string> rules;
  for (uint64_t i = 1; i < before; ++i) {  // the beginning of the log stays
    const auto& audited = all->records(static_cast<int>(i));
    EXPECT_TRUE(audited.record().empty());
    EXPECT_TRUE(audited.salt().empty());
    const auto& destroyed = audited.destroyed();
    EXPECT_EQ(destroyed.time().seconds(), f.now().count() / 1'000'000);
    EXPECT_EQ(destroyed.bundle_digest(), schakel::testing::Reference().digest.str());
    EXPECT_EQ(destroyed.bundle(), schakel::testing::Reference().compiled->name() + " " +
                                      schakel::testing::Reference().compiled->version());
    EXPECT_GE(destroyed.sweep_index(), before);
    EXPECT_NE(destroyed.kind(), v1::RECORD_KIND_UNSPECIFIED);
    rules.insert(destroyed.term());
  }
  EXPECT_TRUE(rules.contains("retention.records.default"));
  EXPECT_TRUE(rules.contains("signal-types.rent-arrears.retention"));
  // One alone can be asked for.
  request.mutable_filter()->set_index(before - 1);
  auto one = QueryRecords(state(), tokens, sample::kRegionAuditor, grant, request);
  ASSERT_TRUE(one.ok());
  ASSERT_EQ(one->records_size(), 1);
  EXPECT_EQ(one->records(0).SerializeAsString(),
            all->records(static_cast<int>(before - 1)).SerializeAsString());
  request.mutable_filter()->clear_index();
  request.mutable_filter()->set_actor("user-1");
  auto filtered = QueryRecords(state(), tokens, sample::kRegionAuditor, grant, request);
  ASSERT_TRUE(filtered.ok());
  for (const auto& audited : filtered->records()) EXPECT_FALSE(audited.has_destroyed());
  request.mutable_filter()->Clear();
  request.mutable_filter()->mutable_from()->set_seconds(1);
  auto later = QueryRecords(state(), tokens, sample::kRegionAuditor, grant, request);
  ASSERT_TRUE(later.ok());
  ASSERT_GT(later->records_size(), 0);
  for (const auto& audited : later->records()) {
    EXPECT_TRUE(audited.index() == 0 || audited.index() >= before);
  }
}

TEST_F(RecordsTest, EndsALongSearchWithATokenAndLeavesNothingOut) {
  while (f.machine().meta().tree_size() < limits::kScanPerQueryMax + 10) {
    f.Do(machine::AcceptTime{});
  }
  f.Accept(f.Violence(Linked("a")));
  const uint64_t last = f.machine().meta().tree_size() - 1;
  auto request = Request();
  request.mutable_filter()->set_ground("wmo-veilig-thuis");
  auto first =
      QueryRecords(state(), tokens, sample::kRegionAuditor, Look(sample::kRegionAuditor), request);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->records_size(), 0);
  ASSERT_FALSE(first->next_page_token().empty());
  request.set_page_token(first->next_page_token());
  auto second =
      QueryRecords(state(), tokens, sample::kRegionAuditor, Look(sample::kRegionAuditor), request);
  ASSERT_TRUE(second.ok());
  ASSERT_EQ(second->records_size(), 1);
  EXPECT_EQ(second->records(0).index(), last);
  EXPECT_TRUE(second->next_page_token().empty());
}

TEST_F(RecordsTest, RefusesMalformedRequestsBeforeTheyAreRecorded) {
  struct Case {
    const char* reason;
    const char* field;
    std::function<void(v1::QueryRecordsRequest*)> change;
  };
  const std::vector<Case> cases = {
      {"FIELD_MISSING", "request_id", [](auto* r) { r->clear_request_id(); }},
      {"FIELD_INVALID", "request_id", [](auto* r) { r->set_request_id("short"); }},
      {"FIELD_INVALID", "filter.from",
       [](auto* r) { r->mutable_filter()->mutable_from()->set_seconds(-1); }},
      {"FIELD_INVALID", "filter.until",
       [](auto* r) { r->mutable_filter()->mutable_until()->set_nanos(1'000'000'000); }},
      {"FIELD_INVALID", "filter.until",
       [](auto* r) {
         r->mutable_filter()->mutable_from()->set_seconds(10);
         r->mutable_filter()->mutable_until()->set_seconds(10);
       }},
      {"FIELD_INVALID", "filter.organisation",
       [](auto* r) { r->mutable_filter()->set_organisation("1"); }},
      {"TOO_LARGE", "filter.actor",
       [](auto* r) { r->mutable_filter()->set_actor(std::string(129, 'a')); }},
      {"FIELD_INVALID", "filter.kinds",
       [](auto* r) { r->mutable_filter()->add_kinds(v1::RECORD_KIND_UNSPECIFIED); }},
      {"FIELD_INVALID", "filter.signal_id",
       [](auto* r) { r->mutable_filter()->set_signal_id("short"); }},
      {"TOO_LARGE", "filter.ground",
       [](auto* r) { r->mutable_filter()->set_ground(std::string(65, 'a')); }},
      {"FIELD_INVALID", "filter.outcome",
       [](auto* r) { r->mutable_filter()->set_outcome(static_cast<v1::Outcome>(9)); }},
      {"SUBJECT_REF_INVALID", "filter.subject",
       [](auto* r) { r->mutable_filter()->mutable_subject(); }},
      {"UNLINKED_SUBJECT", "filter.subject",
       [](auto* r) {
         r->mutable_filter()->mutable_subject()->add_pairs()->set_value(Bytes(32, 'x'));
       }},
      {"FIELD_MISSING", "ground",
       [](auto* r) {
         *r->mutable_filter()->mutable_subject() = Linked("a");
         r->clear_ground();
       }},
      {"FIELD_MISSING", "reference",
       [](auto* r) {
         *r->mutable_filter()->mutable_subject() = Linked("a");
         r->clear_reference();
       }},
      {"TOO_LARGE", "reference", [](auto* r) { r->set_reference(std::string(201, 'a')); }},
      {"FIELD_INVALID", "page_size", [](auto* r) { r->set_page_size(1001); }},
      {"PAGE_TOKEN_INVALID", "page_token", [](auto* r) { r->set_page_token("AAAA"); }},
  };
  EXPECT_TRUE(CheckQueryRecords(tokens, sample::kAuditor, Request()).ok());
  for (const auto& c : cases) {
    auto request = Request();
    c.change(&request);
    Status checked = CheckQueryRecords(tokens, sample::kAuditor, request);
    ASSERT_FALSE(checked.ok()) << c.field;
    EXPECT_EQ(checked.error().reason, c.reason) << c.field;
    EXPECT_EQ(checked.error().field.substr(0, std::string(c.field).size()), c.field);
  }
}

}  // namespace
}  // namespace schakel::query
