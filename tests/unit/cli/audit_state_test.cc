// What the command line shows of past moments, and whom it says to ask who an actor is, in both
// languages.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "broker/crypto/hash.h"
#include "broker/crypto/policy_format.h"
#include "tests/unit/cli/broker_verbs.h"
#include "tests/unit/sdk/fake_log.h"

namespace schakel::cli {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AuditState : public BrokerVerbs {
 protected:
  AuditState() {
    landlord_.variables["SCHAKEL_LOG_KEY"] = sdk::LogVerifier().Encode();
    auto& state = broker_->state;
    state.mutable_at()->set_seconds(1'772'442'000);
    state.set_scope("region");
    state.mutable_receipt()->set_index(99);
    auto* policy = state.mutable_policy();
    policy->set_digest(broker_->bundle->digest.str());
    policy->set_name("zhz");
    policy->set_version("2026.1");
    policy->mutable_since()->set_seconds(1'770'000'000);
    policy->set_record_index(5);
    policy->set_organisation(sdk::kPolice.str());
    policy->set_actor("user-7");
  }
  std::vector<std::string> Ask(const std::string& part, std::vector<std::string> more = {}) {
    std::vector<std::string> args = {"audit", "state", "--at", "2026-03-02T09:00:00Z",
                                     "--of",  part};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
  v1::StatementAt* AddStatement() {
    auto* at = broker_->state.add_statements();
    at->set_statement_id(sdk::NewRequestId().str());
    at->set_kind(v1::STATEMENT_KIND_CONSENT);
    at->set_standing(v1::STATEMENT_STANDING_IN_FORCE);
    at->mutable_sender()->set_sector("housing");
    at->mutable_recipient()->mutable_function()->set_function("debt-relief");
    at->mutable_recipient()->mutable_function()->set_area("dordrecht");
    at->set_category("finances");
    at->set_purpose("prevent-eviction");
    at->mutable_valid_from()->set_seconds(1'770'000'000);
    at->mutable_valid_until()->set_seconds(1'780'000'000);
    at->set_grantor(v1::GRANTOR_LEGAL_REPRESENTATIVE);
    at->set_identity_check(v1::IDENTITY_CHECK_DOCUMENT);
    at->set_recorder(sdk::kDebtRelief.str());
    at->mutable_recorded()->set_seconds(1'770'000'000);
    at->set_record_index(17);
    return at;
  }
  std::vector<std::string> AskStatements(std::vector<std::string> more = {}) {
    auto args = Ask("statements", {"--organisation", sdk::kDebtRelief.str()});
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
};

TEST_F(AuditState, ShowsTheDirectoryInWords) {
  auto* at = broker_->state.add_organisations();
  auto* organisation = at->mutable_organisation();
  organisation->set_oin(sdk::kDebtRelief.str());
  organisation->set_name("Sociale Dienst, toen");
  organisation->set_role(v1::ROLE_PARTNER);
  organisation->set_sector("social-services");
  organisation->add_areas("dordrecht");
  organisation->set_bsn_authority(true);
  organisation->set_bsn_authority_article("Wgs art. 8");
  at->set_version(2);
  at->set_disabled(true);
  at->mutable_since()->set_seconds(1'771'000'000);
  at->set_record_index(31);
  at->mutable_replaced()->set_seconds(1'774'000'000);
  at->set_replaced_index(44);
  auto* function = at->add_functions();
  function->set_function("debt-relief");
  function->set_area("dordrecht");
  at->set_key_set_version(3);
  at->set_key_set_digest(Bytes(32, '\xab'));
  const Ran english = landlord_.Run(Ask("directory"));
  ASSERT_EQ(english.code, ExitCode::kOk) << english.err;
  EXPECT_THAT(english.out, AllOf(HasSubstr("Sociale Dienst, toen"), HasSubstr("disabled"),
                                 HasSubstr("Debt relief @ Dordrecht"), HasSubstr("Wgs art. 8"),
                                 HasSubstr("3 (abababababab)"), HasSubstr("(entry 44)")));
  EXPECT_THAT(english.out, HasSubstr("As it stood at: 2026-03-02"));
  EXPECT_THAT(english.out, HasSubstr("Active policy then: zhz 2026.1, since 2026-02-02"));
  EXPECT_THAT(english.err, HasSubstr("Scope: region; this query is record 99."));
  const Ran dutch = landlord_.Run(Ask("directory", {"--language", "nl"}));
  EXPECT_THAT(dutch.out,
              AllOf(HasSubstr("afgesloten"), HasSubstr("Schuldhulp"),
                    HasSubstr("Zoals het stond op: 2026-03-02"), HasSubstr("(regel 44)")));
  const Ran csv = landlord_.Run(Ask("directory", {"-o", "csv"}));
  EXPECT_THAT(csv.out, HasSubstr(HexEncode(Bytes(32, '\xab')))) << "a digest in full";
  const auto line = json::parse(landlord_.Run(Ask("directory", {"-o", "jsonl"})).out);
  EXPECT_EQ(line["recordIndex"], "31");

  ASSERT_GE(broker_->asked_state.size(), 1u);
  const auto& asked = broker_->asked_state[0];
  EXPECT_EQ(asked.part(), v1::STATE_PART_DIRECTORY);
  EXPECT_EQ(asked.at().seconds(), 1'772'442'000);
  EXPECT_FALSE(asked.has_index());
  EXPECT_EQ(asked.request_id().size(), 16u);
}

TEST_F(AuditState, ShowsTheBundleThatWasActiveAndWhoActivatedIt) {
  const Ran still = landlord_.Run(Ask("policy"));
  ASSERT_EQ(still.code, ExitCode::kOk) << still.err;
  EXPECT_THAT(still.out, AllOf(HasSubstr(HexEncode(broker_->bundle->digest.view())),
                               HasSubstr("2026.1"), HasSubstr("user-7"), HasSubstr("still so")));
  broker_->state.mutable_policy()->mutable_replaced()->set_seconds(1'774'000'000);
  broker_->state.mutable_policy()->set_replaced_index(60);
  EXPECT_THAT(landlord_.Run(Ask("policy")).out, HasSubstr("2026-03-20"));
  broker_->state.mutable_policy()->clear_organisation();
  EXPECT_THAT(landlord_.Run(Ask("policy", {"--language", "nl"})).out,
              HasSubstr("het logboek begon ermee"));
}

TEST_F(AuditState, ShowsStatementsInWordsAndWhatBecameOfThemSince) {
  AddStatement();
  auto* withdrawn = AddStatement();
  withdrawn->mutable_withdrawn()->set_seconds(1'773'000'000);
  withdrawn->set_withdrawal_index(55);
  withdrawn->set_withdrawn_by_objection(true);
  const Ran english = landlord_.Run(AskStatements());
  ASSERT_EQ(english.code, ExitCode::kOk) << english.err;
  EXPECT_THAT(
      english.out,
      AllOf(HasSubstr("consent"), HasSubstr("in force"), HasSubstr("Debt relief @ Dordrecht"),
            HasSubstr("Finances"), HasSubstr("Prevent eviction"),
            HasSubstr("a guardian, curator or mentor"), HasSubstr("identity document")));
  EXPECT_THAT(english.out, HasSubstr("in force; withdrawn since, 2026-03-08"));
  EXPECT_THAT(english.out, HasSubstr("by an objection (entry 55)"));
  EXPECT_THAT(english.out, Not(HasSubstr("prevent-eviction"))) << "no codes";
  const Ran dutch = landlord_.Run(AskStatements({"--language", "nl"}));
  EXPECT_THAT(dutch.out, AllOf(HasSubstr("toestemming"), HasSubstr("van kracht"),
                               HasSubstr("identiteitsbewijs"), HasSubstr("door een bezwaar")));
  EXPECT_EQ(broker_->asked_state.back().organisation(), sdk::kDebtRelief.str());
}

TEST_F(AuditState, NamesCodesAsTheBundleOfThenDid) {
  auto files = sdk::ReadPolicyFolder(checkout::SourcePath("policy/zuid-holland-zuid"));
  ASSERT_TRUE(files.ok());
  std::string& manifest = files->at("bundle.yaml");
  const std::string now = "en: Finances\n";
  const size_t at = manifest.find(now);
  ASSERT_NE(at, std::string::npos);
  manifest.replace(at, now.size(), "en: Money matters\n");
  std::vector<crypto::PolicyFile> list;
  for (auto& [path, content] : *files) list.push_back({path, content});
  const auto bytes = crypto::EncodePolicyBundle(std::move(list));
  ASSERT_TRUE(bytes.ok());
  const auto past = sdk::LoadBundle(*bytes, crypto::PolicyDigest(*bytes));
  ASSERT_TRUE(past.ok()) << past.error().message;
  broker_->past_bundle = *past;
  AddStatement();
  EXPECT_THAT(landlord_.Run(AskStatements()).out, HasSubstr("Finances"));
  broker_->state.mutable_policy()->set_digest((*past)->digest.str());
  EXPECT_THAT(landlord_.Run(AskStatements()).out,
              AllOf(HasSubstr("Money matters"), Not(HasSubstr("Finances"))));
}

TEST_F(AuditState, SaysWhatOfStatementsIsDestroyed) {
  auto* gone = broker_->state.mutable_destroyed();
  gone->mutable_before()->set_seconds(1'700'000'000);
  gone->set_rule("retention.statements");
  gone->set_bundle("zhz 2026.1");
  auto* sum = broker_->state.add_swept();
  sum->set_swept("statements");
  sum->set_rule("retention.statements");
  sum->set_bundle("zhz 2025.3");
  sum->set_count(12);
  sum->set_sweeps(2);
  sum->mutable_first()->set_seconds(1'773'000'000);
  sum->mutable_last()->set_seconds(1'774'000'000);
  sum->set_last_index(71);
  const Ran region = landlord_.Run(AskStatements());
  EXPECT_THAT(region.err, AllOf(HasSubstr("There was none at that moment."),
                                HasSubstr("Whole as to what ended after 2023-11-14"),
                                HasSubstr("12 statements by retention.statements of zhz 2025.3"),
                                HasSubstr("(last in entry 71)")));
  sum->clear_count();
  sum->clear_sweeps();
  sum->clear_last_index();
  const Ran own = landlord_.Run(AskStatements({"--language", "nl"}));
  EXPECT_THAT(own.err, HasSubstr("verklaringen volgens retention.statements van zhz 2025.3"));
  EXPECT_THAT(own.err, HasSubstr("alleen bij bereik region"));
}

TEST_F(AuditState, SumsUpWhatWasDestroyed) {
  auto* sum = broker_->state.add_swept();
  sum->set_swept("records");
  sum->set_kind(v1::RECORD_KIND_PUBLISH);
  sum->set_rule("signal-types.rent-arrears.retention");
  sum->set_bundle("zhz 2026.1");
  sum->set_count(1234);
  sum->set_sweeps(5);
  sum->mutable_last()->set_seconds(1'771'000'000);
  sum->set_last_index(71);
  const Ran region = landlord_.Run(Ask("sweeps"));
  ASSERT_EQ(region.code, ExitCode::kOk) << region.err;
  EXPECT_THAT(region.out, AllOf(HasSubstr("signal sent"), HasSubstr("1234"), HasSubstr("71"),
                                HasSubstr("signal-types.rent-arrears.retention")));
  EXPECT_THAT(region.err, Not(HasSubstr("scope region only")));
  broker_->state.set_scope("own");
  EXPECT_THAT(landlord_.Run(Ask("sweeps")).err, HasSubstr("scope region only"));
}

TEST_F(AuditState, SaysThatThereIsMore) {
  AddStatement();
  broker_->state.set_next_page_token("more");
  const Ran ran = landlord_.Run(AskStatements({"--limit", "1"}));
  EXPECT_THAT(ran.err, HasSubstr("There is more"));
  EXPECT_EQ(broker_->asked_state.back().page_size(), 1u);
}

// ---- Whom to ask who an actor is ----

class WhomToAskVerbs : public BrokerVerbs {
 protected:
  WhomToAskVerbs() {
    landlord_.variables["SCHAKEL_LOG_KEY"] = sdk::LogVerifier().Encode();
    broker_->change_entry = [](v1::GetOrganisationResponse& response) {
      auto* organisation = response.mutable_entry()->mutable_organisation();
      if (organisation->oin() == sdk::kPolice.str()) {
        organisation->set_contact("meldkamer, 078-0000000");
      }
    };
    Add(sdk::kPolice.str(), "agent-1");
    Add(sdk::kDebtRelief.str(), "user-2");
    Add(sdk::kPolice.str(), "agent-3");
    Add("", "");  // the broker's own
  }
  void Add(const std::string& organisation, const std::string& actor) {
    v1::Record record;
    record.set_index(static_cast<uint64_t>(broker_->records.records_size()));
    record.set_kind(v1::RECORD_KIND_DELIVERY);
    record.set_organisation(organisation);
    record.set_actor(actor);
    auto* audited = broker_->records.add_records();
    audited->set_index(record.index());
    audited->set_record(record.SerializeAsString());
  }
  static size_t Count(const std::string& text, const std::string& part) {
    size_t count = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
      ++count;
    return count;
  }
};

TEST_F(WhomToAskVerbs, StandsBelowATableOnceForEachOrganisation) {
  const Ran english = landlord_.Run({"audit", "query"});
  ASSERT_EQ(english.code, ExitCode::kOk) << english.err;
  EXPECT_THAT(english.out, HasSubstr("Whom to ask who an actor is:\n"));
  EXPECT_EQ(Count(english.out, ": meldkamer, 078-0000000\n"), 1u) << english.out;
  EXPECT_EQ(Count(english.out, ": the directory names nobody\n"), 1u) << english.out;
  const Ran dutch = landlord_.Run({"audit", "query", "--language", "nl"});
  EXPECT_THAT(dutch.out, HasSubstr("Bij wie na te vragen is wie een gebruiker is:\n"));
}

TEST_F(WhomToAskVerbs, HasAColumnOfItsOwnInASpreadsheet) {
  const Ran csv = landlord_.Run({"audit", "query", "-o", "csv"});
  ASSERT_EQ(csv.code, ExitCode::kOk) << csv.err;
  EXPECT_THAT(csv.out, HasSubstr("ACTOR,CONTACT,TYPE"));
  EXPECT_EQ(Count(csv.out, "\"meldkamer, 078-0000000\""), 2u) << csv.out;
  EXPECT_THAT(csv.out, Not(HasSubstr("Whom to ask")));
}

TEST_F(WhomToAskVerbs, SaysWhatRecordsWithoutSectionsAreAbout) {
  v1::Record record;
  record.set_index(9);
  record.set_kind(v1::RECORD_KIND_DIRECTORY);
  record.mutable_facts()->set_about_organisation(sdk::kPolice.str());
  record.mutable_facts()->set_text("disabled: contract ended");
  broker_->records.add_records()->set_record(record.SerializeAsString());
  record.set_kind(v1::RECORD_KIND_QUERY);
  record.mutable_facts()->set_text("the directory, at 2026-03-02T09:00:00Z");
  broker_->records.add_records()->set_record(record.SerializeAsString());
  const Ran dutch = landlord_.Run({"audit", "query", "--language", "nl"});
  EXPECT_THAT(dutch.out, HasSubstr(": afgesloten: contract ended"));
  EXPECT_THAT(dutch.out, HasSubstr("the directory, at 2026-03-02T09:00:00Z"));
}

}  // namespace
}  // namespace schakel::cli
