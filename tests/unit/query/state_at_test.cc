// Looks at the past themselves: which moments there are, what is recorded, what had been destroyed.
#include "broker/query/state_at.h"

#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "tests/unit/query/state_at_fixture.h"

namespace schakel::query {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(StateAtTest, TakesAMomentFromTheFirstRecordUpToNow) {
  const Micros began = f.now();
  f.Advance(1h);
  const auto why = [&](Micros at) {
    return WhyNot(sample::kRegionAuditor, AskAt(v1::STATE_PART_POLICY, at));
  };
  EXPECT_EQ(why(began), "");
  EXPECT_EQ(why(began - 1us), "FIELD_INVALID at");
  EXPECT_EQ(why(f.now()), "");
  EXPECT_EQ(why(f.now() + 1us), "FIELD_INVALID at");
  // What was refused is no look, but an attempt that the log keeps.
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_QUERY).size(), 2u);
  const auto denied = f.RecordsOf(v1::RECORD_KIND_DENIED_ATTEMPT);
  ASSERT_EQ(denied.size(), 2u);
  EXPECT_EQ(denied[0].facts().rpc(), "GetStateAt");
}

TEST_F(StateAtTest, TakesTheIndexOfARecordThatTheAskerMayKnowOf) {
  const auto why = [&](const OrganisationId& who, uint64_t index) {
    return WhyNot(who, AskAfter(v1::STATE_PART_POLICY, index));
  };
  f.Accept(f.Violence(Linked("a")));
  const uint64_t of_police = Newest();
  f.Accept(f.Arrears());
  const uint64_t of_corporation = Newest();
  f.Do(machine::AcceptTime{});
  const uint64_t of_nobody = Newest();
  for (const uint64_t index : {of_police, of_corporation, of_nobody}) {
    EXPECT_EQ(why(sample::kRegionAuditor, index), "") << index;
  }
  EXPECT_EQ(why(sample::kAuditor, 0), "") << "the beginning";
  EXPECT_EQ(why(sample::kAuditor, 3), "") << "an admission";
  EXPECT_EQ(why(sample::kAuditor, of_police), "");
  EXPECT_EQ(why(sample::kAuditor, of_corporation), "FIELD_INVALID index");
  EXPECT_EQ(why(sample::kAuditor, of_nobody), "FIELD_INVALID index");
  // Not there: the same answer.
  const auto beyond = Page(sample::kAuditor, AskAfter(v1::STATE_PART_POLICY, 1'000'000));
  const auto others = Page(sample::kAuditor, AskAfter(v1::STATE_PART_POLICY, of_corporation));
  ASSERT_FALSE(beyond.ok() || others.ok());
  EXPECT_EQ(beyond.error(), others.error());
  f.AdvanceAndSweep(std::chrono::hours(24 * 1827));
  EXPECT_EQ(why(sample::kAuditor, of_police), "FIELD_INVALID index") << "its time went with it";
}

TEST_F(StateAtTest, IsARecordThatSaysInWordsWhatWasAskedAndNotOfWhom) {
  auto request = AskOf(Linked("a"), f.now());
  request.set_organisation(sample::kCare.str());
  ASSERT_TRUE(Page(sample::kRegionAuditor, request).ok());
  auto records = f.RecordsOf(v1::RECORD_KIND_QUERY);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].facts().rpc(), "GetStateAt");
  EXPECT_EQ(records[0].facts().scope(), "region");
  EXPECT_EQ(records[0].facts().text(), "consents and objections of a person, recorded by " +
                                           sample::kCare.str() + ", at 2026-03-02T09:00:00Z");
  EXPECT_THAT(records[0].SerializeAsString(), Not(HasSubstr(Linked("a").pairs(0).value())));
  ASSERT_TRUE(Page(sample::kAuditor, AskAfter(v1::STATE_PART_DIRECTORY, 4)).ok());
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_QUERY).back().facts().text(),
            "the directory, just after record 4");
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_QUERY).back().facts().scope(), "own");
}

// ---- Sweeps ----

class SweptAtTest : public StateAtTest {
 protected:
  using Rule = std::tuple<std::string, int, std::string>;
  // Something of everything, destroyed in several sweeps.
  void Sweep() {
    PlayStory(Linked("a"));
    for (int year = 0; year < 6; ++year) f.AdvanceAndSweep(24h * 366);
    KeepRegionScope();
  }
  static std::map<Rule, uint64_t> Sums(const v1::GetStateAtResponse& answer) {
    std::map<Rule, uint64_t> sums;
    for (const auto& sum : answer.swept()) {
      sums[{sum.swept(), sum.kind(), sum.rule()}] += sum.count();
    }
    return sums;
  }
  // The same, record by record.
  std::map<Rule, uint64_t> Slowly(uint64_t until_us) {
    std::map<Rule, uint64_t> sums;
    for (const auto& record : f.RecordsOf(v1::RECORD_KIND_SWEEP)) {
      const auto& facts = record.facts();
      if (record.time_us() > until_us) continue;
      sums[{facts.swept(), facts.swept_kind(), facts.rule()}] += facts.count();
    }
    return sums;
  }
};

TEST_F(SweptAtTest, SumsUpByRuleWhatHadBeenDestroyedByThen) {
  const Micros before = f.now();
  Sweep();
  EXPECT_THAT(AtRegion(AskAt(v1::STATE_PART_SWEEPS, before)).swept(), IsEmpty());
  std::vector<uint64_t> moments;
  for (const auto& record : f.RecordsOf(v1::RECORD_KIND_SWEEP)) moments.push_back(record.time_us());
  ASSERT_GT(moments.size(), 5u);
  for (const uint64_t at : moments) {
    for (const uint64_t moment : {at - 1, at}) {
      const auto answer =
          AtRegion(AskAt(v1::STATE_PART_SWEEPS, Micros(static_cast<int64_t>(moment))));
      EXPECT_EQ(Sums(answer), Slowly(moment));
    }
  }
  const auto all = AtRegion(AskAt(v1::STATE_PART_SWEEPS, f.now()));
  std::set<std::string> kinds;
  for (const auto& sum : all.swept()) {
    kinds.insert(sum.swept());
    EXPECT_EQ(sum.bundle(), schakel::testing::Reference().compiled->name() + " " +
                                schakel::testing::Reference().compiled->version());
    EXPECT_LE(machine::ToMicros(sum.first()), machine::ToMicros(sum.last()));
    EXPECT_GE(sum.sweeps(), 1u);
  }
  EXPECT_EQ(kinds, (std::set<std::string>{"details", "records", "signals", "statements"}));
}

TEST_F(SweptAtTest, ComesInPagesWhoseSumsAddUp) {
  Sweep();
  const auto request = AskAt(v1::STATE_PART_SWEEPS, f.now());
  EXPECT_EQ(Sums(All(sample::kRegionAuditor, request, 1)), Sums(AtRegion(request)));
  EXPECT_EQ(Sums(All(sample::kRegionAuditor, request, 3)), Sums(AtRegion(request)));
}

TEST_F(SweptAtTest, ShowsScopeOwnRulesAndDaysButNoNumbers) {
  Sweep();
  const auto own = All(sample::kAuditor, AskAt(v1::STATE_PART_SWEEPS, f.now()));
  const auto region = AtRegion(AskAt(v1::STATE_PART_SWEEPS, f.now()));
  ASSERT_EQ(own.swept_size(), region.swept_size());
  for (int i = 0; i < own.swept_size(); ++i) {
    EXPECT_EQ(own.swept(i).rule(), region.swept(i).rule());
    EXPECT_EQ(own.swept(i).last().seconds(), region.swept(i).last().seconds());
    EXPECT_EQ(own.swept(i).count(), 0u);
    EXPECT_EQ(own.swept(i).sweeps(), 0u);
    EXPECT_EQ(own.swept(i).last_index(), 0u);
    EXPECT_GT(region.swept(i).count(), 0u);
  }
}

// ---- Bad input ----

TEST_F(StateAtTest, RefusesMalformedRequestsBeforeTheyAreRecorded) {
  struct Case {
    const char* reason;
    std::function<void(v1::GetStateAtRequest*)> change;
  };
  const std::vector<Case> cases = {
      {"FIELD_MISSING request_id", [](auto* r) { r->clear_request_id(); }},
      {"FIELD_INVALID request_id", [](auto* r) { r->set_request_id("short"); }},
      {"FIELD_MISSING at", [](auto* r) { r->clear_at(); }},
      {"FIELD_INVALID at", [](auto* r) { r->mutable_at()->set_seconds(-1); }},
      {"FIELD_INVALID at", [](auto* r) { r->mutable_at()->set_nanos(1'000'000'000); }},
      {"FIELD_INVALID index", [](auto* r) { r->set_index(1); }},
      {"FIELD_MISSING part", [](auto* r) { r->clear_part(); }},
      {"FIELD_INVALID part", [](auto* r) { r->set_part(static_cast<v1::StatePart>(9)); }},
      {"FIELD_INVALID organisation", [](auto* r) { r->set_organisation("1"); }},
      {"FIELD_INVALID organisation",
       [](auto* r) {
         r->clear_subject();
         r->set_part(v1::STATE_PART_POLICY);
         r->set_organisation(sample::kCare.str());
       }},
      {"FIELD_INVALID organisation",
       [](auto* r) {
         r->clear_subject();
         r->set_part(v1::STATE_PART_SWEEPS);
         r->set_organisation(sample::kCare.str());
       }},
      {"FIELD_INVALID subject", [](auto* r) { r->set_part(v1::STATE_PART_DIRECTORY); }},
      {"FIELD_MISSING subject", [](auto* r) { r->clear_subject(); }},
      {"SUBJECT_REF_INVALID subject", [](auto* r) { r->mutable_subject()->Clear(); }},
      {"UNLINKED_SUBJECT subject",
       [](auto* r) { r->mutable_subject()->mutable_pairs(0)->set_epoch(0); }},
      {"FIELD_MISSING ground", [](auto* r) { r->clear_ground(); }},
      {"FIELD_MISSING reference", [](auto* r) { r->clear_reference(); }},
      {"TOO_LARGE ground", [](auto* r) { r->set_ground(std::string(201, 'g')); }},
      {"TOO_LARGE reference", [](auto* r) { r->set_reference(std::string(201, 'r')); }},
      {"FIELD_INVALID page_size", [](auto* r) { r->set_page_size(1001); }},
      {"PAGE_TOKEN_INVALID page_token", [](auto* r) { r->set_page_token("AAAA"); }},
  };
  const auto valid = AskOf(Linked("a"), f.now());
  EXPECT_TRUE(CheckStateAt(tokens, sample::kAuditor, valid).ok());
  for (const auto& wrong : cases) {
    auto request = valid;
    wrong.change(&request);
    const Status checked = CheckStateAt(tokens, sample::kAuditor, request);
    ASSERT_FALSE(checked.ok()) << wrong.reason;
    EXPECT_EQ(checked.error().reason + " " + checked.error().field, wrong.reason);
  }
}

TEST_F(StateAtTest, RefusesTheTokenOfAnotherAuditorOrMoment) {
  auto request = AskAt(v1::STATE_PART_DIRECTORY, f.now());
  request.set_page_size(2);
  const auto page = Page(sample::kRegionAuditor, request);
  ASSERT_TRUE(page.ok());
  request.set_page_token(page->next_page_token());
  EXPECT_TRUE(CheckStateAt(tokens, sample::kRegionAuditor, request).ok());
  EXPECT_FALSE(CheckStateAt(tokens, sample::kAuditor, request).ok());
  request.mutable_at()->set_nanos(1000);
  EXPECT_FALSE(CheckStateAt(tokens, sample::kRegionAuditor, request).ok());
}

}  // namespace
}  // namespace schakel::query
