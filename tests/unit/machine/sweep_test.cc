// Sweeps: what ended by the bundle's terms is destroyed a day later, nothing else is, and the log
// says so without saying whom it was about.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/base/limits.h"
#include "broker/machine/log_tree.h"
#include "tests/support/machine_fixture.h"
#include "tests/unit/machine/days.h"

namespace schakel::testing {
namespace {

using namespace std::chrono_literals;
using store::Family;
using ::testing::Contains;
using ::testing::Each;

class Sweep : public ::testing::Test {
 protected:
  state::v1::StoredRecord Stored(uint64_t index) {
    auto raw = f_.state().Get(Family::kRecords, machine::keys::Record(index));
    state::v1::StoredRecord stored;
    EXPECT_TRUE(raw.ok() && *raw && stored.ParseFromString(**raw));
    return stored;
  }
  bool Stands(uint64_t index) { return Stored(index).destroyed_us() == 0; }
  bool HasDetail(uint64_t index) { return !Stored(index).detail().empty(); }
  uint64_t LastIndex() { return f_.machine().TreeHead().size - 1; }
  // Makes one record of kind denied-attempt.
  uint64_t Denied() {
    f_.Do(machine::DeniedAttempt{sample::kPolice.str(), "SIGNATURE_INVALID", "Publish"});
    return LastIndex();
  }
  void Activate(const ReferenceBundle& bundle) {
    auto outcome = f_.DoAs(sample::kRegistrar,
                           machine::ActivatePolicy{bundle.bytes, bundle.digest, bundle.compiled});
    ASSERT_FALSE(outcome.refused);
  }
  std::vector<v1::Record> Sweeps() { return f_.RecordsOf(v1::RECORD_KIND_SWEEP); }

  MachineFixture f_;
};

TEST_F(Sweep, DestroysARecordADayAfterItsTermAndKeepsItsEntry) {
  const uint64_t index = f_.Accept(f_.Arrears()).receipts(0).index();
  const auto entry = *machine::ReadEntry(f_.state(), index);
  f_.AdvanceAndSweep(731 * kDay - 1us);
  EXPECT_TRUE(Stands(index));
  f_.AdvanceAndSweep(1us);
  EXPECT_FALSE(Stands(index));
  EXPECT_EQ(*machine::ReadEntry(f_.state(), index), entry);
  const auto stored = Stored(index);
  EXPECT_EQ(stored.record() + stored.salt() + stored.detail() + stored.detail_salt(), "");
  EXPECT_EQ(stored.destroyed_us(), static_cast<uint64_t>(f_.now().count()));
}

TEST_F(Sweep, RecordsWhatWentByWhichRuleOfWhichBundle) {
  const uint64_t index = f_.Accept(f_.Arrears()).receipts(0).index();
  f_.AdvanceAndSweep(731 * kDay);
  const auto stored = Stored(index);
  v1::Record sweep;
  ASSERT_TRUE(sweep.ParseFromString(Stored(stored.sweep_index()).record()));
  EXPECT_EQ(sweep.kind(), v1::RECORD_KIND_SWEEP);
  EXPECT_EQ(sweep.bundle_digest(), Reference().digest.str());
  EXPECT_EQ(sweep.facts().text(),
            Reference().compiled->name() + " " + Reference().compiled->version());
  EXPECT_EQ(sweep.facts().swept(), "records");
  EXPECT_EQ(sweep.facts().swept_kind(), v1::RECORD_KIND_PUBLISH);
  EXPECT_EQ(sweep.facts().rule(), "signal-types.rent-arrears.retention");
  EXPECT_EQ(sweep.facts().count(), 1u);
  EXPECT_EQ(sweep.facts().first_index(), index);
  EXPECT_EQ(sweep.facts().end_index(), index + 1);
}

TEST_F(Sweep, NeverNamesASubjectASignalACaseOrAParty) {
  auto spec = f_.Avoidance(Linked("person"));
  spec.case_id = f_.random().Make<CaseId>();
  f_.Record({.recorder = sample::kCare, .subject = Linked("person")});
  const auto accepted = f_.Accept(spec);
  for (int year = 0; year < 8; ++year) f_.AdvanceAndSweep(366 * kDay);
  ASSERT_GT(Sweeps().size(), 4u);
  for (const auto& sweep : Sweeps()) {
    const Bytes bytes = sweep.SerializeAsString();
    EXPECT_EQ(sweep.organisation() + sweep.actor() + sweep.subject_label() + sweep.case_id() +
                  sweep.signal_id() + sweep.signal_type(),
              "");
    for (const Bytes& mark : {Linked("person").pairs(0).value(), accepted.signal_id(),
                              spec.case_id->str(), sample::kCare.str()}) {
      EXPECT_EQ(bytes.find(mark), Bytes::npos);
    }
  }
}

TEST_F(Sweep, KeepsTheRootAndForGoodWhatNamesNobody) {
  f_.Do(machine::AcceptTime{});
  const uint64_t mode_change = LastIndex();
  f_.Accept(f_.Arrears());
  const auto size = f_.machine().TreeHead().size;
  std::vector<Digest> entries;
  for (uint64_t i = 0; i < size; ++i) entries.push_back(*machine::ReadEntry(f_.state(), i));
  for (int year = 0; year < 30; ++year) f_.AdvanceAndSweep(366 * kDay);
  for (uint64_t i = 0; i < size; ++i) {
    EXPECT_EQ(*machine::ReadEntry(f_.state(), i), entries[i]);
    EXPECT_EQ(Stands(i), i == 0 || i == mode_change) << i;
  }
  merkle::Frontier textbook;
  for (uint64_t i = 0; i <= LastIndex(); ++i) textbook.Append(*machine::ReadEntry(f_.state(), i));
  EXPECT_EQ(textbook.Root(), f_.machine().TreeHead().root);
  EXPECT_EQ(f_.CountKeys(Family::kLocal, "s") + f_.CountKeys(Family::kLocal, "g"), 0u);
  EXPECT_EQ(f_.CountKeys(Family::kLocal, "p"), 0u);
  const auto quiet = LastIndex();
  f_.Reload();
  f_.AdvanceAndSweep(366 * kDay);
  EXPECT_EQ(LastIndex(), quiet);
}

TEST_F(Sweep, HoldsNoShorterTermBackBehindALongerOne) {
  const uint64_t directory = 1;  // 1,825 days
  const uint64_t arrears = f_.Accept(f_.Arrears()).receipts(0).index();
  const uint64_t denied = Denied();  // 365 days
  f_.AdvanceAndSweep(366 * kDay);
  EXPECT_FALSE(Stands(denied));
  EXPECT_TRUE(Stands(arrears));
  EXPECT_TRUE(Stands(directory));
  f_.AdvanceAndSweep(365 * kDay);
  EXPECT_FALSE(Stands(arrears));
  EXPECT_TRUE(Stands(directory));
  const uint64_t later = Denied();
  f_.AdvanceAndSweep(366 * kDay);
  EXPECT_FALSE(Stands(later));
  EXPECT_TRUE(Stands(directory));
  f_.AdvanceAndSweep(3 * 366 * kDay);
  EXPECT_FALSE(Stands(directory));
}

TEST_F(Sweep, DestroysADetailByItsOwnTermAndWithItWhatLeadsToTheSubject) {
  Activate(ReferenceChanged("bundle.yaml", "    query: 365d", "    query: 365d\n    publish: 90d"));
  const uint64_t index = f_.Accept(f_.Violence(Linked("person"))).receipts(0).index();
  const auto before = Stored(index);
  EXPECT_EQ(
      f_.CountKeys(Family::kLocal, machine::keys::SubjectIndexPrefix(Linked("person").pairs(0))),
      1u);
  f_.AdvanceAndSweep(91 * kDay - 1us);
  EXPECT_TRUE(HasDetail(index));
  f_.AdvanceAndSweep(1us);
  const auto after = Stored(index);
  EXPECT_EQ(after.detail() + after.detail_salt(), "");
  EXPECT_EQ(after.record(), before.record());
  EXPECT_EQ(after.salt(), before.salt());
  EXPECT_EQ(after.destroyed_us(), 0u);
  EXPECT_EQ(after.detail_destroyed_us(), static_cast<uint64_t>(f_.now().count()));
  EXPECT_EQ(
      f_.CountKeys(Family::kLocal, machine::keys::SubjectIndexPrefix(Linked("person").pairs(0))),
      0u);
  v1::Record sweep;
  ASSERT_TRUE(sweep.ParseFromString(Stored(after.detail_sweep_index()).record()));
  EXPECT_EQ(sweep.facts().swept(), "details");
  EXPECT_EQ(sweep.facts().rule(), "retention.details.publish");
}

TEST_F(Sweep, DestroysARecordAndItsDetailOnceWhenBothAreLongDue) {
  Activate(ReferenceChanged("bundle.yaml", "    query: 365d", "    query: 365d\n    publish: 90d"));
  const uint64_t index = f_.Accept(f_.Violence(Linked("person"))).receipts(0).index();
  f_.AdvanceAndTick(10 * kDay);
  f_.AdvanceAndSweep(20 * 366 * kDay);
  EXPECT_FALSE(Stands(index));
  for (const auto& sweep : Sweeps()) EXPECT_NE(sweep.facts().swept(), "details");
  EXPECT_EQ(f_.CountKeys(Family::kLocal, "s"), 0u);
}

TEST_F(Sweep, LooksAtABoundedNumberAndGoesOnWhereItEnded) {
  for (int i = 0; i < 1200; ++i) {
    if (i % 10 == 0) f_.Advance(1min);
    Denied();
  }
  const auto size = f_.machine().TreeHead().size;
  f_.Advance(400 * kDay);
  uint64_t destroyed = 0;
  int commands = 0;
  for (bool left = true; left; ++commands) {
    left = f_.Do(machine::Sweep{}).effects.sweep_left;
    uint64_t now = 0;
    for (uint64_t i = 0; i < size; ++i) now += Stands(i) ? 0 : 1;
    ASSERT_LE(now - destroyed, limits::kSweepItemsMax);
    destroyed = now;
    if (commands == 1) f_.Reload();
  }
  EXPECT_GE(destroyed, 1200u);
  EXPECT_GT(commands, 3);
  uint64_t told = 0;
  for (const auto& sweep : Sweeps()) told += sweep.facts().count();
  EXPECT_EQ(told, destroyed);
}

TEST_F(Sweep, GoesByTheActiveBundleAndBeginsAnewUnderOtherTerms) {
  const uint64_t arrears = f_.Accept(f_.Arrears()).receipts(0).index();
  f_.AdvanceAndSweep(400 * kDay);
  EXPECT_TRUE(Stands(arrears));
  const auto shorter = ReferenceChanged("signal-types.yaml", "retention: 730d", "retention: 200d");
  Activate(shorter);
  f_.SweepAll();
  EXPECT_FALSE(Stands(arrears));
  EXPECT_EQ(f_.CountKeys(Family::kHot, "s"), 0u) << "the status goes by the same term";
  EXPECT_THAT(Sweeps(),
              Contains(::testing::Property(&v1::Record::bundle_digest, shorter.digest.str())));
}

TEST_F(Sweep, KeepsWhatAnswersARetryAsLongAsTheRecord) {
  auto parsed = f_.Parsed(f_.Arrears());  // ends after five days
  auto first = f_.Publish(parsed);
  f_.AdvanceAndSweep(735 * kDay);
  auto again = f_.Publish(parsed);
  ASSERT_FALSE(again.refused) << "the record is gone, the answer is not";
  f_.AdvanceAndSweep(kDay);
  auto gone = f_.Publish(parsed);
  ASSERT_TRUE(gone.refused);
  EXPECT_EQ(gone.refused->reason, "CREATED_TOO_OLD");
}

TEST_F(Sweep, HoldsNoTypeBackBehindOneWithALongerTerm) {
  f_.Accept(f_.Violence(Linked("person")));
  f_.Accept(f_.Arrears());
  auto unknown = f_.Arrears();
  unknown.signal_type = "astrology";
  f_.Publish(unknown);
  EXPECT_EQ(f_.CountKeys(Family::kHot, "s"), 3u);
  f_.AdvanceAndSweep((5 + 730 + 1) * kDay);
  EXPECT_EQ(f_.CountKeys(Family::kHot, "s"), 2u);
  f_.AdvanceAndSweep(1095 * kDay);
  EXPECT_EQ(f_.CountKeys(Family::kHot, "s"), 0u);
  EXPECT_EQ(f_.CountKeys(Family::kHot, "g"), 0u);
}

TEST_F(Sweep, SaysWhatIsOwedToTheDisk) {
  EXPECT_EQ(f_.machine().meta().destroyed_position(), 0u);
  f_.Accept(f_.Arrears());
  f_.SweepAll();
  EXPECT_EQ(f_.machine().meta().destroyed_position(), 0u);
  auto leased = f_.Pull(sample::kDebtRelief);
  f_.Acknowledge(sample::kDebtRelief, leased.items.at(0).delivery_id);
  EXPECT_EQ(f_.machine().meta().destroyed_position(), f_.machine().meta().position());
  EXPECT_EQ(f_.machine().meta().swept_position(), 0u);
  f_.AdvanceAndSweep(800 * kDay);
  EXPECT_GT(f_.machine().meta().swept_position(), 0u);
  EXPECT_EQ(f_.machine().meta().destroyed_position(), f_.machine().meta().swept_position());
  f_.Reload();
  EXPECT_GT(f_.machine().meta().swept_position(), 0u);
}

}  // namespace
}  // namespace schakel::testing
