// Consents and objections as they stood: their states to the microsecond, in scope, in pages, and
// what sweeps took since.
#include <optional>
#include <vector>

#include "tests/unit/query/state_at_fixture.h"

namespace schakel::query {
namespace {

using namespace std::chrono_literals;
using schakel::testing::FunctionAxis;
using schakel::testing::SectorAxis;
using ::testing::IsEmpty;

class StatementsAtTest : public StateAtTest {
 protected:
  // The only statement about the subject at that moment; not set when there was none.
  std::optional<v1::StatementAt> Only(Micros at) {
    const auto answer = AtRegion(AskOf(subject_, at));
    EXPECT_LE(answer.statements_size(), 1);
    if (answer.statements().empty()) return std::nullopt;
    return answer.statements(0);
  }
  v1::StatementStanding StandingThen(Micros at) {
    const auto only = Only(at);
    return only ? only->standing() : v1::STATEMENT_STANDING_UNSPECIFIED;
  }
  v1::GetStateAtRequest AskRecordedBy(const OrganisationId& recorder, Micros at) {
    auto request = AskAt(v1::STATE_PART_STATEMENTS, at);
    request.set_organisation(recorder.str());
    return request;
  }
  static std::vector<Bytes> Ids(const v1::GetStateAtResponse& answer) {
    std::vector<Bytes> ids;
    for (const auto& at : answer.statements()) ids.push_back(at.statement_id());
    return ids;
  }

  const v1::SubjectRef subject_ = Linked("a");
};

TEST_F(StatementsAtTest, PassThroughTheirStatesToTheMicrosecond) {
  f.Advance(1h);
  const Micros recorded = f.now();
  f.Record({.recorder = sample::kCare, .subject = subject_, .starts_in = 1h, .lasts = 2h});
  f.Advance(24h);
  EXPECT_FALSE(Only(recorded - 1us));
  EXPECT_EQ(StandingThen(recorded), v1::STATEMENT_STANDING_NOT_YET);
  EXPECT_EQ(StandingThen(recorded + 1h - 1us), v1::STATEMENT_STANDING_NOT_YET);
  EXPECT_EQ(StandingThen(recorded + 1h), v1::STATEMENT_STANDING_IN_FORCE);
  EXPECT_EQ(StandingThen(recorded + 3h - 1us), v1::STATEMENT_STANDING_IN_FORCE);
  EXPECT_EQ(StandingThen(recorded + 3h), v1::STATEMENT_STANDING_EXPIRED);
}

TEST_F(StatementsAtTest, TellWhatTheySayWithoutWhomTheyAreAbout) {
  const auto id = f.Record({.recorder = sample::kCare,
                            .subject = subject_,
                            .sender = SectorAxis("care"),
                            .recipient = FunctionAxis("neighbourhood-team", "dordrecht"),
                            .category = "daily-living",
                            .purpose = "coordinate-care"});
  const auto answer = AtRegion(AskOf(subject_, f.now()));
  ASSERT_EQ(answer.statements_size(), 1);
  const auto& at = answer.statements(0);
  EXPECT_EQ(at.statement_id(), id.str());
  EXPECT_EQ(at.kind(), v1::STATEMENT_KIND_CONSENT);
  EXPECT_EQ(at.sender().sector(), "care");
  EXPECT_EQ(at.recipient().function().area(), "dordrecht");
  EXPECT_EQ(at.category(), "daily-living");
  EXPECT_EQ(at.purpose(), "coordinate-care");
  EXPECT_EQ(at.recorder(), sample::kCare.str());
  EXPECT_NE(at.grantor(), v1::GRANTOR_UNSPECIFIED);
  EXPECT_NE(at.identity_check(), v1::IDENTITY_CHECK_UNSPECIFIED);
  EXPECT_EQ(f.Records().at(at.record_index()).facts().statement_id(), id.str());
  EXPECT_EQ(answer.SerializeAsString().find(subject_.pairs(0).value()), Bytes::npos);
}

TEST_F(StatementsAtTest, TellOfAWithdrawalThatCameAfterTheMoment) {
  f.Advance(1h);
  const auto id = f.Record({.recorder = sample::kCare, .subject = subject_});
  f.Advance(1h);
  const Micros withdrawn = f.now();
  f.Withdraw(sample::kCare, id);
  const uint64_t index = Newest();
  f.Advance(1h);
  const auto before = Only(withdrawn - 1us);
  ASSERT_TRUE(before);
  EXPECT_EQ(before->standing(), v1::STATEMENT_STANDING_IN_FORCE);
  EXPECT_EQ(machine::ToMicros(before->withdrawn()), static_cast<uint64_t>(withdrawn.count()));
  EXPECT_EQ(before->withdrawal_index(), index);
  EXPECT_FALSE(before->withdrawn_by_objection());
  EXPECT_EQ(StandingThen(withdrawn), v1::STATEMENT_STANDING_WITHDRAWN);
  // Long after its last day it still had ended by its withdrawal.
  f.Advance(24h * 60);
  EXPECT_EQ(StandingThen(f.now()), v1::STATEMENT_STANDING_WITHDRAWN);
}

TEST_F(StatementsAtTest, HadExpiredWhenTheyWereWithdrawnAfterTheirLastDay) {
  const auto id = f.Record({.recorder = sample::kCare, .subject = subject_, .lasts = 1h});
  f.Advance(2h);
  f.Withdraw(sample::kCare, id);
  EXPECT_EQ(StandingThen(f.now()), v1::STATEMENT_STANDING_EXPIRED);
}

TEST_F(StatementsAtTest, TellApartByIndexWhatAnObjectionDidAtOneMoment) {
  f.Record({.recorder = sample::kCare, .subject = subject_});
  const uint64_t consent = Newest();
  f.Record(
      {.recorder = sample::kCentre, .subject = subject_, .kind = v1::STATEMENT_KIND_OBJECTION});
  auto request = AskOf(subject_, f.now());
  const auto now = AtRegion(request);
  ASSERT_EQ(now.statements_size(), 2);
  EXPECT_EQ(now.statements(0).standing(), v1::STATEMENT_STANDING_WITHDRAWN);
  EXPECT_TRUE(now.statements(0).withdrawn_by_objection());
  EXPECT_EQ(now.statements(1).kind(), v1::STATEMENT_KIND_OBJECTION);
  EXPECT_EQ(now.statements(1).standing(), v1::STATEMENT_STANDING_IN_FORCE);
  request.clear_at();
  request.set_index(consent);
  const auto then = AtRegion(request);
  ASSERT_EQ(then.statements_size(), 1);
  EXPECT_EQ(then.statements(0).standing(), v1::STATEMENT_STANDING_IN_FORCE);
  EXPECT_TRUE(then.statements(0).has_withdrawn()) << "what became of it since";
}

TEST_F(StatementsAtTest, AreShownInScopeOwnOnlyWhenAnAuditedOrganisationRecordedThem) {
  const auto of_police = f.Record({.recorder = sample::kPolice, .subject = subject_});
  f.Record({.recorder = sample::kCare, .subject = subject_});
  // Named on an axis is not being party to the record.
  f.Record({.recorder = sample::kCare,
            .subject = subject_,
            .sender = schakel::testing::OrganisationAxis(sample::kPolice)});
  const auto own = All(sample::kAuditor, AskOf(subject_, f.now()));
  EXPECT_EQ(own.scope(), "own");
  EXPECT_EQ(Ids(own), std::vector<Bytes>{of_police.str()});
  EXPECT_THAT(All(sample::kAuditor, AskRecordedBy(sample::kCare, f.now())).statements(), IsEmpty());
  EXPECT_EQ(All(sample::kAuditor, AskRecordedBy(sample::kPolice, f.now())).statements_size(), 1);
  auto both = AskOf(subject_, f.now());
  both.set_organisation(sample::kCare.str());
  EXPECT_THAT(All(sample::kAuditor, both).statements(), IsEmpty());
  EXPECT_EQ(AtRegion(both).statements_size(), 2);
}

TEST_F(StatementsAtTest, ComeInPagesThatAreOneList) {
  for (int i = 0; i < 7; ++i) {
    f.Advance(1s);
    f.Record({.recorder = i % 2 == 0 ? sample::kCare : sample::kCentre, .subject = subject_});
  }
  const auto subject = AskOf(subject_, f.now());
  const auto later = [&] { f.Record({.recorder = sample::kCare, .subject = subject_}); };
  const auto whole = Ids(AtRegion(subject));
  EXPECT_EQ(whole.size(), 7u);
  EXPECT_EQ(Ids(All(sample::kRegionAuditor, subject, 2, later)), whole);
  const auto recorder = AskRecordedBy(sample::kCentre, f.now());
  auto of_centre = Ids(AtRegion(recorder));
  EXPECT_EQ(of_centre.size(), 3u);
  EXPECT_EQ(Ids(All(sample::kRegionAuditor, recorder, 1)), of_centre);
}

TEST_F(StatementsAtTest, ThatWereDestroyedSinceAreSaidToBe) {
  f.Record({.recorder = sample::kCare, .subject = subject_, .lasts = 24h});
  f.Record({.recorder = sample::kCare, .subject = Linked("b"), .lasts = 48h});
  const Micros then = f.now() + 1h;
  f.Advance(24h * 10);
  f.AdvanceAndSweep(24h * 1826);
  const Micros swept = f.now();
  f.Advance(24h);
  KeepRegionScope();
  const auto answer = AtRegion(AskOf(subject_, then));
  EXPECT_THAT(answer.statements(), IsEmpty());
  ASSERT_EQ(answer.swept_size(), 1);
  const auto& sum = answer.swept(0);
  EXPECT_EQ(sum.swept(), "statements");
  EXPECT_EQ(sum.rule(), "retention.statements");
  EXPECT_EQ(sum.bundle_digest(), schakel::testing::Reference().digest.str());
  EXPECT_EQ(sum.count(), 2u);
  EXPECT_EQ(sum.sweeps(), 1u);
  EXPECT_EQ(machine::ToMicros(sum.first()), static_cast<uint64_t>(swept.count()));
  EXPECT_EQ(f.Records().at(sum.last_index()).facts().swept(), "statements");
  EXPECT_EQ(answer.destroyed().rule(), "retention.statements");
  EXPECT_EQ(machine::ToMicros(answer.destroyed().before()),
            static_cast<uint64_t>((f.now() - 24h * 1825).count()));
  // A sweep before the moment says nothing about what stood at it.
  EXPECT_THAT(AtRegion(AskOf(subject_, swept)).swept(), IsEmpty());
  EXPECT_EQ(AtRegion(AskOf(subject_, swept - 1us)).swept_size(), 1);
}

TEST_F(StatementsAtTest, SayTheSameOfWhatIsDestroyedWhomeverTheyAreAbout) {
  f.Record({.recorder = sample::kCare, .subject = subject_, .lasts = 24h});
  const Micros then = f.now();
  f.AdvanceAndSweep(24h * 1830);
  const auto about = [&](const v1::SubjectRef& subject) {
    auto answer = All(sample::kAuditor, AskOf(subject, then));
    EXPECT_EQ(answer.scope(), "own");
    EXPECT_EQ(answer.swept_size(), 1);
    EXPECT_EQ(answer.swept(0).count() + answer.swept(0).sweeps() + answer.swept(0).last_index(), 0u)
        << "no numbers of others";
    EXPECT_TRUE(answer.swept(0).has_last());
    answer.clear_receipt();
    answer.clear_tree_size();
    return answer.SerializeAsString();
  };
  EXPECT_EQ(about(subject_), about(Linked("nobody")));
}

TEST_F(StatementsAtTest, LoseNothingToASweepBetweenTwoPages) {
  for (int i = 0; i < 4; ++i) {
    f.Record({.recorder = sample::kCare, .subject = subject_, .lasts = 24h});
  }
  const Micros then = f.now();
  f.Advance(24h * 1827);
  KeepRegionScope();
  const auto answer = All(sample::kRegionAuditor, AskOf(subject_, then), 2, [&] { f.SweepAll(); });
  uint64_t gone = 0;
  for (const auto& sum : answer.swept()) gone += sum.count();
  EXPECT_EQ(answer.statements_size(), 2);
  EXPECT_EQ(gone, 4u) << "shown, or said to be destroyed";
}

}  // namespace
}  // namespace schakel::query
