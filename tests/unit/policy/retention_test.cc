// How long things are kept: which term of a bundle holds for what, and terms that are refused.
#include "policy/engine/retention.h"

#include <gmock/gmock.h>

#include "policy/engine/check.h"
#include "tests/unit/policy/bundle_fixture.h"

namespace schakel::policy {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

constexpr Millis Days(int days) { return std::chrono::hours(24 * days); }

Term Named(int days, const std::string& rule) { return {Days(days), rule}; }

BundleFiles WithRetention(const std::string& records, const std::string& details) {
  return Changed(SmallFiles(), "bundle.yaml", "records: {default: 365d, publish: 30d}",
                 "records: {" + records + "}\n  details: {" + details + "}");
}

TEST(Retention, GoesByTheTypeOfASignalOrByAKindThatIsNamedAndShorter) {
  const auto bundle = MustCompile(WithRetention(
      "default: 365d, publish: 40d, refusal: 20d, denied-attempt: 10d", "default: 365d"));
  EXPECT_EQ(RecordTerm(*bundle, v1::RECORD_KIND_PUBLISH, "question"),
            Named(30, "signal-types.question.retention"));
  EXPECT_EQ(RecordTerm(*bundle, v1::RECORD_KIND_REFUSAL, "question"),
            Named(20, "retention.records.refusal"));
  EXPECT_EQ(RecordTerm(*bundle, v1::RECORD_KIND_DELIVERY, "question"),
            Named(30, "signal-types.question.retention"));
  EXPECT_EQ(RecordTerm(*bundle, v1::RECORD_KIND_DENIED_ATTEMPT, ""),
            Named(10, "retention.records.denied-attempt"));
  EXPECT_EQ(RecordTerm(*bundle, v1::RECORD_KIND_STATEMENT, ""),
            Named(365, "retention.records.default"));
  // A type that the bundle no longer has.
  EXPECT_EQ(RecordTerm(*bundle, v1::RECORD_KIND_PUBLISH, "gossip"),
            Named(40, "retention.records.publish"));
  EXPECT_EQ(SignalTerm(*bundle, "question"), Named(30, "signal-types.question.retention"));
  EXPECT_EQ(SignalTerm(*bundle, "gossip"), Named(40, "retention.records.publish"));
  EXPECT_EQ(ShortestSignalTerm(*bundle), Days(30));
  EXPECT_EQ(StatementTerm(*bundle), Named(365, "retention.statements"));
  EXPECT_THAT(RecordTerms(*bundle), ElementsAre(Days(365), Days(40), Days(30), Days(20), Days(10)));
}

TEST(Retention, KeepsForGoodWhatNamesNobody) {
  const auto bundle = MustCompile(SmallFiles());
  for (const auto kind :
       {v1::RECORD_KIND_GENESIS, v1::RECORD_KIND_MODE_CHANGE, v1::RECORD_KIND_SWEEP}) {
    EXPECT_EQ(RecordTerm(*bundle, kind, ""), std::nullopt);
    EXPECT_EQ(DetailTerm(*bundle, kind), std::nullopt);
  }
}

TEST(Retention, HasDetailsGoWithTheirRecordsUnlessTheyHaveATerm) {
  EXPECT_EQ(DetailTerm(*MustCompile(SmallFiles()), v1::RECORD_KIND_PUBLISH), std::nullopt);
  const auto bundle = MustCompile(WithRetention("default: 365d", "publish: 7d"));
  EXPECT_EQ(DetailTerm(*bundle, v1::RECORD_KIND_PUBLISH), Named(7, "retention.details.publish"));
  EXPECT_EQ(DetailTerm(*bundle, v1::RECORD_KIND_DELIVERY), std::nullopt);
}

TEST(Retention, NamesFileLineAndKeyOfATermThatContradicts) {
  const auto refused = [](const BundleFiles& files, const std::string& place,
                          const std::string& message) {
    EXPECT_THAT(CheckBundle(files), Contains(AllOf(Field(&Finding::place, place),
                                                   Field(&Finding::message, HasSubstr(message)))))
        << message;
  };
  const auto line = [](const BundleFiles& files, const std::string& text) {
    return PlaceOf(files, "bundle.yaml", text);
  };
  BundleFiles files = WithRetention("default: 365d", "default: 366d");
  refused(files, line(files, "details:"),
          "key 'retention.details.default': expected at most the 365 days of "
          "'retention.records.default'");
  files = WithRetention("default: 365d, refusal: 9d", "refusal: 10d");
  refused(files, line(files, "details:"), "expected at most the 9 days of 'retention.records.ref");
  files = WithRetention("default: 365d, gossip: 1d", "default: 1d");
  refused(files, line(files, "records:"), "unknown kind of record in retention.records 'gossip'");
  files = WithRetention("default: 365d, evaluation: 1d", "default: 1d");
  refused(files, line(files, "records:"), "unknown kind of record");
  files = WithRetention("default: 365d, sweep: 1d", "default: 1d");
  refused(files, line(files, "records:"), "key 'retention.records.sweep': expected no term");
  files = WithRetention("default: 365d, publish: 29d", "default: 1d");
  refused(files, line(files, "records:"),
          "key 'retention.records.publish': expected at least the expires_max of signal type "
          "'question'");
  files = Changed(SmallFiles(), "signal-types.yaml", "retention: 30d", "retention: 29d");
  refused(files, PlaceOf(files, "signal-types.yaml", "question:"),
          "key 'retention' of 'question': expected at least its expires_max");
  files = Changed(SmallFiles(), "bundle.yaml", "statements: 365d", "statements: often");
  refused(files, line(files, "statements:"), "key 'statements'");
  files = Changed(SmallFiles(), "bundle.yaml", "  statements: 365d\n", "");
  refused(files, line(files, "records:"), "missing key 'statements'");
  files = Changed(SmallFiles(), "bundle.yaml", "default: 365d, ", "");
  refused(files, "bundle.yaml:1", "missing 'default' in retention.records");
}

TEST(Retention, WarnsOfStatementsThatGoBeforeWhatRestedOnThem) {
  const BundleFiles files =
      Changed(SmallFiles(), "bundle.yaml", "statements: 365d", "statements: 29d");
  const auto warning = AllOf(Field(&Finding::kind, "statements-too-short"),
                             Field(&Finding::severity, Severity::kWarning));
  EXPECT_THAT(CheckBundle(files), Contains(warning));
  EXPECT_THAT(CheckBundle(SmallFiles()), Not(Contains(warning)));
}

TEST(Retention, BoundsHowManyDifferentTermsThereAre) {
  std::string types = "signal_types:\n";
  for (int i = 0; i < 33; ++i) {
    types += "  t" + std::to_string(i) +
             ": {nl: T, en: T, link: signal, purposes: [help], categories: {money: any}, "
             "expires_min: 1h, expires_max: 1d, retention: " +
             std::to_string(100 + i) + "d}\n";
  }
  BundleFiles files = SmallFiles();
  files["signal-types.yaml"] = types;
  EXPECT_THAT(CheckBundle(files),
              Contains(Field(&Finding::message, HasSubstr("at most 32 different terms"))));
}

}  // namespace
}  // namespace schakel::policy
