// How it stood at past moments of a real broker: each change is made, then looked back at.
#include "tests/e2e/command_line.h"
#include "tests/e2e/story.h"

namespace schakel::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Past : public RegionTest {
 protected:
  static constexpr size_t kPerson = 31;
  // The records of what was done, in this order.
  static inline uint64_t renamed_ = 0;
  static inline uint64_t disabled_ = 0;
  static inline uint64_t activated_ = 0;
  static inline uint64_t consented_ = 0;
  static inline uint64_t withdrawn_ = 0;
  static inline std::optional<StatementId> consent_;

  static void SetUpTestSuite() {
    RegionTest::SetUpTestSuite();
    ASSERT_OK_AND(auto* org, As("registrar").org());
    auto entry = region().EntryOf("volunteers");
    entry.set_name("Buurthulp, later");
    ASSERT_OK_AND(const auto renamed, org->AdmitOrReplace(entry));
    renamed_ = renamed.receipt().index();
    ASSERT_OK_AND(const auto disabled, org->Disable(OinOf("volunteers"), "contract ended"));
    disabled_ = disabled.receipt().index();

    ASSERT_OK_AND(auto files, sdk::ReadPolicyFolder(region().folder() / "policy"));
    const auto folder = region().folder() / "policy-2";
    for (auto& [path, content] : files) {
      const std::string old = "version: \"2026.1\"";
      if (const auto at = content.find(old); path == "bundle.yaml" && at != std::string::npos) {
        content.replace(at, old.size(), "version: \"2026.2\"");
      }
      std::filesystem::create_directories((folder / path).parent_path());
      testing::WriteFile(folder / path, content);
    }
    ASSERT_OK_AND(const auto packed, sdk::PackPolicyFolder(folder));
    ASSERT_OK_AND(auto* policy, As("registrar").policy());
    ASSERT_OK_AND(const auto activated, policy->Activate(packed));
    activated_ = activated.receipt().index();

    ASSERT_OK_AND(const auto person, PersonBy(region(), "care", kPerson));
    ASSERT_OK_AND(consent_, RecordConsent(As("care"), person));
    ASSERT_OK_AND(const auto withdrawn, Withdraw(As("care"), *consent_));
    withdrawn_ = withdrawn.receipt.index();
    consented_ = withdrawn_ - 1;
  }
  static Result<v1::GetStateAtResponse> Look(const std::string& who, v1::StatePart part,
                                             uint64_t index, const std::string& organisation = {}) {
    auto audit = As(who).audit();
    if (!audit.ok()) return audit.error();
    v1::GetStateAtRequest request;
    request.set_part(part);
    request.set_index(index);
    request.set_organisation(organisation);
    if (part == v1::STATE_PART_STATEMENTS && organisation.empty()) {
      const auto person = PersonBy(region(), "region-auditor", kPerson);
      if (!person.ok()) return person.error();
      *request.mutable_subject() = *person;
      request.set_ground("AVG art. 57");
      request.set_reference("past-1");
    }
    return (*audit)->StateAtAll(request);
  }
};

TEST_F(Past, TheDirectoryStandsAsItStood) {
  const std::string oin = OinOf("volunteers").str();
  ASSERT_OK_AND(const auto before, Look("auditor", v1::STATE_PART_DIRECTORY, renamed_ - 1, oin));
  ASSERT_EQ(before.organisations_size(), 1);
  EXPECT_EQ(before.organisations(0).organisation().name(), "volunteers (voorbeeld)");
  EXPECT_EQ(before.organisations(0).key_set_version(), 1u);
  EXPECT_EQ(before.organisations(0).replaced_index(), renamed_);
  ASSERT_OK_AND(const auto renamed, Look("auditor", v1::STATE_PART_DIRECTORY, renamed_, oin));
  EXPECT_EQ(renamed.organisations(0).organisation().name(), "Buurthulp, later");
  EXPECT_FALSE(renamed.organisations(0).disabled());
  EXPECT_FALSE(renamed.organisations(0).functions().empty());
  ASSERT_OK_AND(const auto disabled, Look("auditor", v1::STATE_PART_DIRECTORY, disabled_, oin));
  EXPECT_TRUE(disabled.organisations(0).disabled());
  EXPECT_EQ(disabled.scope(), "own");
  ASSERT_OK_AND(const auto all, Look("auditor", v1::STATE_PART_DIRECTORY, disabled_));
  EXPECT_EQ(all.organisations_size(), static_cast<int>(Participants().size()));
}

TEST_F(Past, TheBundleOfThenIsFoundAgain) {
  ASSERT_OK_AND(const auto first, Look("region-auditor", v1::STATE_PART_POLICY, activated_ - 1));
  EXPECT_EQ(first.policy().version(), "2026.1");
  EXPECT_EQ(first.policy().replaced_index(), activated_);
  ASSERT_OK_AND(const auto second, Look("region-auditor", v1::STATE_PART_POLICY, activated_));
  EXPECT_EQ(second.policy().version(), "2026.2");
  EXPECT_EQ(second.policy().organisation(), OinOf("registrar").str());
  EXPECT_EQ(second.policy().actor(), "user-of-registrar");
  // By time: what was written at a moment counts, and what came a microsecond later does not.
  ASSERT_OK_AND(auto* audit, As("region-auditor").audit());
  v1::GetStateAtRequest request;
  request.set_part(v1::STATE_PART_POLICY);
  *request.mutable_at() = second.policy().since();
  ASSERT_OK_AND(const auto at_once, audit->StateAt(request));
  EXPECT_EQ(at_once.policy().record_index(), activated_);
  request.mutable_at()->set_nanos(request.at().nanos() - 1000);
  if (request.at().nanos() < 0) {
    request.mutable_at()->set_nanos(request.at().nanos() + 1'000'000'000);
    request.mutable_at()->set_seconds(request.at().seconds() - 1);
  }
  ASSERT_OK_AND(const auto just_before, audit->StateAt(request));
  EXPECT_EQ(just_before.policy().record_index(), 0u);

  ASSERT_OK_AND(auto* policy, As("region-auditor").policy());
  const auto digest = Digest::From(first.policy().digest());
  ASSERT_TRUE(digest.has_value());
  ASSERT_OK_AND(const auto bundle, policy->ByDigest(*digest));
  EXPECT_EQ(bundle->compiled->version(), "2026.1");
}

TEST_F(Past, AConsentStandsAsItStoodAndTellsWhatBecameOfItSince) {
  ASSERT_OK_AND(const auto before,
                Look("region-auditor", v1::STATE_PART_STATEMENTS, consented_ - 1));
  EXPECT_THAT(before.statements(), IsEmpty());
  ASSERT_OK_AND(const auto then, Look("region-auditor", v1::STATE_PART_STATEMENTS, consented_));
  ASSERT_EQ(then.statements_size(), 1);
  EXPECT_EQ(then.statements(0).statement_id(), consent_->str());
  EXPECT_EQ(then.statements(0).standing(), v1::STATEMENT_STANDING_IN_FORCE);
  EXPECT_EQ(then.statements(0).withdrawal_index(), withdrawn_);
  ASSERT_OK_AND(const auto after, Look("region-auditor", v1::STATE_PART_STATEMENTS, withdrawn_));
  EXPECT_EQ(after.statements(0).standing(), v1::STATEMENT_STANDING_WITHDRAWN);
  ASSERT_OK_AND(const auto by_care,
                Look("region-auditor", v1::STATE_PART_STATEMENTS, withdrawn_, OinOf("care").str()));
  EXPECT_EQ(by_care.statements_size(), 1);
  // The police's auditor sees nothing of what care recorded, and learns nothing of its moments.
  ASSERT_OK_AND(const auto own,
                Look("auditor", v1::STATE_PART_STATEMENTS, activated_, OinOf("care").str()));
  EXPECT_THAT(own.statements(), IsEmpty());
  const auto refused = Look("auditor", v1::STATE_PART_POLICY, consented_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "FIELD_INVALID");
  EXPECT_EQ(refused.error().field, "index");
}

TEST_F(Past, EachLookIsARecordInWords) {
  ASSERT_OK_AND(const auto look, Look("region-auditor", v1::STATE_PART_POLICY, activated_));
  v1::RecordFilter filter;
  filter.set_index(look.receipt().index());
  ASSERT_OK_AND(const auto records, QueryAs(As("region-auditor"), filter));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].kind(), v1::RECORD_KIND_QUERY);
  EXPECT_EQ(records[0].facts().rpc(), "GetStateAt");
  EXPECT_EQ(records[0].facts().text(),
            "the active policy, just after record " + std::to_string(activated_));
}

TEST_F(Past, IsReadOnTheCommandLineWithoutCodes) {
  const CommandLine command(region());
  const auto index = std::to_string(withdrawn_);
  const auto directory = command.Run(
      "auditor", {"audit", "state", "--index", std::to_string(disabled_), "--of", "directory"});
  ASSERT_EQ(directory.code, 0) << directory.err;
  EXPECT_THAT(directory.out, AllOf(HasSubstr("Buurthulp, later"), HasSubstr("disabled"),
                                   HasSubstr("Neighbourhood team @ Dordrecht")));
  const auto policy = command.Run(
      "auditor", {"audit", "state", "--index", std::to_string(activated_ - 1), "--of", "policy"});
  EXPECT_THAT(policy.out, AllOf(HasSubstr("2026.1"), HasSubstr("the log began with it")));
  const auto bsn = command.File("bsn.txt", TestBsn(kPerson) + "\n");
  const auto statements =
      command.Run("region-auditor", {"audit", "state", "--index", index, "--of", "statements",
                                     "--subject-bsn", "@" + bsn, "--ground", "AVG art. 57",
                                     "--reference", "past-2", "--language", "nl"});
  ASSERT_EQ(statements.code, 0) << statements.err;
  EXPECT_THAT(statements.out, AllOf(HasSubstr("toestemming"), HasSubstr("ingetrokken"),
                                    HasSubstr("care (voorbeeld)")));
  EXPECT_THAT(statements.out + statements.err, Not(HasSubstr(TestBsn(kPerson))));
  EXPECT_THAT(statements.err, HasSubstr("retention.statements"));
  const auto sweeps =
      command.Run("region-auditor", {"audit", "state", "--index", index, "--of", "sweeps"});
  EXPECT_THAT(sweeps.err, HasSubstr("There was none at that moment."));
  const auto to_come =
      command.Run("auditor", {"audit", "state", "--at", "2099-01-01", "--of", "policy"});
  EXPECT_EQ(to_come.code, 65) << to_come.err;
  EXPECT_THAT(to_come.err, HasSubstr("is to come"));
  const auto too_early =
      command.Run("auditor", {"audit", "state", "--at", "2001-01-01", "--of", "policy"});
  EXPECT_EQ(too_early.code, 65) << too_early.err;
  EXPECT_THAT(too_early.err, HasSubstr("before the log began"));
}

TEST_F(Past, AQueryTellsWhomToAskWhoAnActorIs) {
  const CommandLine command(region());
  const auto query = command.Run("region-auditor", {"audit", "query", "--kind", "withdrawal"});
  ASSERT_EQ(query.code, 0) << query.err;
  EXPECT_THAT(query.out, AllOf(HasSubstr("user-of-care"), HasSubstr("Whom to ask"),
                               HasSubstr("care (voorbeeld): privacy@voorbeeld.example")));
}

}  // namespace
}  // namespace schakel::e2e
