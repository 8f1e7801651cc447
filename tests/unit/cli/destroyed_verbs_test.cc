// What the command line says of destroyed records and of sweeps, in both languages.
#include <gmock/gmock.h>

#include "broker/crypto/hash.h"
#include "tests/unit/cli/broker_verbs.h"
#include "tests/unit/sdk/fake_log.h"

namespace schakel::cli {
namespace {

using ::testing::HasSubstr;

class DestroyedVerbs : public BrokerVerbs {
 protected:
  DestroyedVerbs() {
    auto* gone = broker_->records.add_records();
    gone->set_index(7);
    *gone->mutable_destroyed() = By("signal-types.rent-arrears.retention");
    v1::Record record;
    record.set_index(8);
    record.set_kind(v1::RECORD_KIND_DELIVERY);
    auto* detail_gone = broker_->records.add_records();
    detail_gone->set_index(8);
    detail_gone->set_record(record.SerializeAsString());
    *detail_gone->mutable_detail_destroyed() = By("retention.details.default");
    v1::Record sweep;
    sweep.set_index(12);
    sweep.set_kind(v1::RECORD_KIND_SWEEP);
    auto* facts = sweep.mutable_facts();
    facts->set_count(3);
    facts->set_swept("records");
    facts->set_swept_kind(v1::RECORD_KIND_PUBLISH);
    facts->set_rule("signal-types.rent-arrears.retention");
    facts->set_text("zhz 2026.1");
    facts->set_first_index(2);
    facts->set_end_index(8);
    auto* swept = broker_->records.add_records();
    swept->set_index(12);
    swept->set_record(sweep.SerializeAsString());
    landlord_.variables["SCHAKEL_LOG_KEY"] = sdk::LogVerifier().Encode();
  }
  static v1::DestroyedRecord By(const std::string& rule) {
    v1::DestroyedRecord by;
    by.mutable_time()->set_seconds(1'772'442'000);
    by.set_term(rule);
    by.set_bundle("zhz 2026.1");
    by.set_bundle_digest(crypto::Sha256("bundle").str());
    by.set_sweep_index(12);
    by.set_kind(v1::RECORD_KIND_PUBLISH);
    return by;
  }
};

TEST_F(DestroyedVerbs, AQuerySaysWhenAndByWhichRuleOfWhichBundle) {
  const auto english = landlord_.Run({"audit", "query"});
  EXPECT_EQ(english.code, ExitCode::kOk) << english.err;
  EXPECT_THAT(english.out,
              HasSubstr("by signal-types.rent-arrears.retention of zhz 2026.1 (entry 12)"));
  EXPECT_THAT(english.out, HasSubstr("destroyed on 2026-03-02"));
  EXPECT_THAT(english.out, HasSubstr("its detail destroyed on 2026-03-02"));
  EXPECT_THAT(english.out, HasSubstr("by retention.details.default of zhz 2026.1"));
  EXPECT_THAT(
      english.out,
      HasSubstr("3 records (signal sent) by signal-types.rent-arrears.retention of zhz 2026.1, "
                "2-7"));
  const auto dutch = landlord_.Run({"--language", "nl", "audit", "query"});
  EXPECT_EQ(dutch.code, ExitCode::kOk) << dutch.err;
  EXPECT_THAT(dutch.out, HasSubstr("vernietigd op 2026-03-02"));
  EXPECT_THAT(dutch.out,
              HasSubstr("volgens signal-types.rent-arrears.retention van zhz 2026.1 (regel 12)"));
  EXPECT_THAT(dutch.out, HasSubstr("detail ervan vernietigd op"));
}

TEST_F(DestroyedVerbs, AQueryTakesAnIndexAndRefusesWhatIsNone) {
  EXPECT_EQ(landlord_.Run({"audit", "query", "--index", "7"}).code, ExitCode::kOk);
  EXPECT_EQ(landlord_.Run({"audit", "query", "--index", "seven"}).code, ExitCode::kUsage);
}

}  // namespace
}  // namespace schakel::cli
