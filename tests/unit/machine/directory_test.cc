// Organisations, key sets and policy bundles: versions, chains, and what relies on them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/crypto/hash.h"
#include "broker/crypto/key_set.h"
#include "tests/support/machine_fixture.h"

namespace schakel::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;

machine::AdmitOrganisation Admit(v1::Organisation organisation, uint64_t expected_version) {
  machine::AdmitOrganisation admit;
  *admit.request.mutable_organisation() = std::move(organisation);
  admit.request.set_expected_version(expected_version);
  return admit;
}

machine::DisableOrganisation Disable(const OrganisationId& oin) {
  machine::DisableOrganisation disable;
  disable.request.set_oin(oin.str());
  disable.request.set_reason("left the partnership");
  return disable;
}

TEST(Directory, GivesEveryChangeTheNextVersion) {
  MachineFixture f;
  auto entry = f.OrganisationOf(sample::kPolice);
  entry.set_name("Politie, andere naam (test)");
  auto outcome = f.DoAs(sample::kRegistrar, Admit(entry, 1));
  ASSERT_FALSE(outcome.refused);
  EXPECT_EQ(std::get<v1::AdmitOrganisationResponse>(outcome.answer).version(), 2u);
  EXPECT_TRUE(outcome.effects.directory_changed);
  EXPECT_EQ(f.CallerOf(sample::kPolice).entry_version, 2u);
  EXPECT_EQ(f.CountKeys(store::Family::kRegistry, "o" + sample::kPolice.str()), 2u);
}

TEST(Directory, AnswersTheSameAdmissionAgainWithoutARecord) {
  MachineFixture f;
  auto entry = f.OrganisationOf(sample::kPolice);
  auto size = f.machine().TreeHead().size;
  auto outcome = f.DoAs(sample::kRegistrar, Admit(entry, 0));
  ASSERT_FALSE(outcome.refused);
  EXPECT_EQ(std::get<v1::AdmitOrganisationResponse>(outcome.answer).version(), 1u);
  EXPECT_EQ(f.machine().TreeHead().size, size);
}

TEST(Directory, RefusesAChangeOfAnotherVersionThanExpected) {
  MachineFixture f;
  auto entry = f.OrganisationOf(sample::kPolice);
  entry.set_name("Politie, andere naam (test)");
  EXPECT_EQ(ReasonOf(f.DoAs(sample::kRegistrar, Admit(entry, 0))), "STALE_VERSION");
  EXPECT_EQ(ReasonOf(f.DoAs(sample::kRegistrar, Admit(entry, 7))), "STALE_VERSION");
}

TEST(Directory, MakesACommandOfAnOlderEntryTryAgain) {
  MachineFixture f;
  auto caller = f.CallerOf(sample::kCorporation);
  auto entry = f.OrganisationOf(sample::kCorporation);
  entry.set_contact("meldingen@corporatie.example");
  ASSERT_FALSE(f.DoAs(sample::kRegistrar, Admit(entry, 1)).refused);
  auto size = f.machine().TreeHead().size;
  auto outcome = f.Do(machine::PublishEnvelope{f.Parsed(f.Arrears())}, caller);
  ASSERT_TRUE(outcome.refused);
  EXPECT_EQ(outcome.refused->code, ErrorCode::kAborted);
  EXPECT_EQ(outcome.refused->reason, "STALE_VERSION");
  EXPECT_GT(outcome.refused->retry_after_ms, 0);
  EXPECT_EQ(f.machine().TreeHead().size, size);
  EXPECT_EQ(f.CountKeys(store::Family::kHot, "s"), 0u);
}

TEST(Directory, TakesNothingMoreFromWhomItDisabled) {
  MachineFixture f;
  auto parsed = f.Parsed(f.Arrears());
  auto outcome = f.DoAs(sample::kRegistrar, Disable(sample::kCorporation));
  ASSERT_FALSE(outcome.refused);
  EXPECT_EQ(ReasonOf(f.Publish(parsed)), "STALE_VERSION");
  auto again = f.DoAs(sample::kRegistrar, Disable(sample::kCorporation));
  EXPECT_EQ(std::get<v1::DisableOrganisationResponse>(outcome.answer).SerializeAsString(),
            std::get<v1::DisableOrganisationResponse>(again.answer).SerializeAsString());
  EXPECT_EQ(ReasonOf(f.DoAs(sample::kRegistrar, Disable(sample::kRegistrar))), "FIELD_INVALID");
  EXPECT_EQ(ReasonOf(f.DoAs(sample::kRegistrar, Disable(sample::Oin("00000099000000009999")))),
            "NOT_FOUND");
}

TEST(Directory, AdmitsWhoWasDisabledAnewWithItsKeys) {
  MachineFixture f;
  auto entry = f.OrganisationOf(sample::kCorporation);
  f.DoAs(sample::kRegistrar, Disable(sample::kCorporation));
  ASSERT_FALSE(f.DoAs(sample::kRegistrar, Admit(entry, 2)).refused);
  EXPECT_EQ(f.Accept(f.Arrears()).outcomes(0).state(), v1::RECIPIENT_STATE_QUEUED);
}

TEST(Directory, RefusesEachFieldThatIsWrong) {
  MachineFixture f;
  using Change = std::function<void(v1::Organisation*)>;
  struct Case {
    const char* field;
    Change change;
    const char* reason = "FIELD_INVALID";
  };
  const std::vector<Case> cases = {
      {"organisation.oin", [](auto* o) { o->set_oin("123"); }},
      {"organisation.name", [](auto* o) { o->clear_name(); }, "FIELD_MISSING"},
      {"organisation.name", [](auto* o) { o->set_name(std::string(201, 'n')); }, "TOO_LARGE"},
      {"organisation.role", [](auto* o) { o->clear_role(); }, "FIELD_MISSING"},
      {"organisation.sector", [](auto* o) { o->set_sector("astrology"); }, "UNKNOWN_CODE"},
      {"organisation.sector", [](auto* o) { o->set_role(v1::ROLE_CHAIN_DIRECTOR); }},
      {"organisation.areas", [](auto* o) { o->add_areas("atlantis"); }, "UNKNOWN_CODE"},
      {"organisation.areas",
       [](auto* o) {
         for (int i = 0; i < 64; ++i) o->add_areas("dordrecht");
       },
       "TOO_LARGE"},
      {"organisation.bsn_authority_article", [](auto* o) { o->clear_bsn_authority_article(); },
       "FIELD_MISSING"},
      {"organisation.bsn_authority_article", [](auto* o) { o->set_bsn_authority(false); }},
      {"organisation.certificate_issuer_digest",
       [](auto* o) { o->set_certificate_issuer_digest("x"); }},
      {"organisation.certificate_spki_digest", [](auto* o) { o->clear_certificate_spki_digest(); },
       "FIELD_MISSING"},
      {"organisation.audit_scope", [](auto* o) { o->set_audit_scope(v1::AUDIT_SCOPE_OWN); }},
      {"organisation.audit_scope", [](auto* o) { o->add_audited_oins(sample::kPolice.str()); }},
      {"organisation.audited_oins", [](auto* o) { o->add_audited_oins("1"); }},
      {"organisation.audit_scope_until",
       [](auto* o) { o->mutable_audit_scope_until()->set_seconds(4'000'000'000); }},
      {"organisation.contact", [](auto* o) { o->set_contact(std::string(201, 'c')); }, "TOO_LARGE"},
  };
  for (const auto& [field, change, reason] : cases) {
    auto entry = f.OrganisationOf(sample::kPolice);
    change(&entry);
    f.Advance(1min);
    auto outcome = f.DoAs(sample::kRegistrar, Admit(entry, 1));
    ASSERT_TRUE(outcome.refused) << field;
    EXPECT_EQ(outcome.refused->reason, reason) << field;
    EXPECT_EQ(outcome.refused->field, field);
  }
  EXPECT_EQ(f.CallerOf(sample::kPolice).entry_version, 1u);
}

TEST(KeySet, IsChainedByVersionAndDigest) {
  MachineFixture f;
  auto second = f.RegisterNextKeySet(sample::kPolice);
  auto skipped = f.NextKeySet(sample::kPolice);
  auto parsed = crypto::ParseKeySet(skipped.key_set.key_set());
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->version, 3u);
  EXPECT_EQ(parsed->previous, second);
  auto with = [&](auto change) {
    crypto::KeySet changed = *parsed;
    change(&changed);
    machine::RegisterKeySet command = skipped;
    command.key_set.set_key_set(crypto::EncodeKeySet(changed));
    f.Advance(1min);
    return ReasonOf(f.DoAs(sample::kPolice, command));
  };
  EXPECT_EQ(with([](auto* k) { k->version = 4; }), "KEY_SET_INVALID");
  EXPECT_EQ(with([](auto* k) { k->version = 2; }), "KEY_SET_INVALID");
  EXPECT_EQ(with([](auto* k) { k->previous = crypto::Sha256("another"); }), "KEY_SET_INVALID");
  EXPECT_EQ(with([](auto* k) { k->oin = sample::kCare; }), "KEY_SET_INVALID");
  EXPECT_EQ(with([](auto* k) {
              k->not_before = Millis(1'000);
              k->not_after = Millis(2'000);
            }),
            "KEY_SET_INVALID");
  EXPECT_EQ(with([](auto*) {}), "");
}

TEST(KeySet, RegisteredAgainGetsItsFirstAnswer) {
  MachineFixture f;
  auto command = f.NextKeySet(sample::kPolice);
  auto first = f.DoAs(sample::kPolice, command);
  auto size = f.machine().TreeHead().size;
  auto again = f.DoAs(sample::kPolice, command);
  EXPECT_EQ(std::get<v1::RegisterKeySetResponse>(first.answer).SerializeAsString(),
            std::get<v1::RegisterKeySetResponse>(again.answer).SerializeAsString());
  EXPECT_EQ(f.machine().TreeHead().size, size);
}

TEST(KeySet, ThatWasReplacedStillSignsAndSealsUntilItsEnd) {
  MachineFixture f;
  auto parsed = f.Parsed(f.Arrears());
  f.RegisterNextKeySet(sample::kCorporation);
  f.RegisterNextKeySet(sample::kDebtRelief);
  auto outcome = f.Publish(parsed);
  ASSERT_FALSE(outcome.refused);
  EXPECT_EQ(std::get<v1::SignalAccepted>(outcome.answer).outcomes(0).state(),
            v1::RECIPIENT_STATE_QUEUED);
}

TEST(Policy, OfTheSameDigestIsActivatedWithoutAChange) {
  MachineFixture f;
  auto size = f.machine().TreeHead().size;
  auto outcome =
      f.DoAs(sample::kRegistrar,
             machine::ActivatePolicy{Reference().bytes, Reference().digest, Reference().compiled});
  ASSERT_FALSE(outcome.refused);
  EXPECT_TRUE(std::get<v1::ActivatePolicyResponse>(outcome.answer).unchanged());
  EXPECT_FALSE(outcome.effects.policy_changed);
  EXPECT_EQ(f.machine().TreeHead().size, size);
}

TEST(Policy, HoldsFromItsActivationAndOverARestart) {
  MachineFixture f;
  auto next = ReferenceWithVersion("2026.2");
  auto outcome =
      f.DoAs(sample::kRegistrar, machine::ActivatePolicy{next.bytes, next.digest, next.compiled});
  ASSERT_FALSE(outcome.refused);
  EXPECT_TRUE(outcome.effects.policy_changed);
  f.Reload();
  f.Accept(f.Arrears());
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_PUBLISH).at(0).bundle_digest(), next.digest.str());
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_POLICY_ACTIVATION).size(), 1u);
}

TEST(Policy, WithAWrongDigestIsRefused) {
  MachineFixture f;
  auto next = ReferenceWithVersion("2026.2");
  EXPECT_EQ(
      ReasonOf(f.DoAs(sample::kRegistrar,
                      machine::ActivatePolicy{next.bytes, Reference().digest, next.compiled})),
      "BUNDLE_DIGEST_MISMATCH");
}

TEST(Policy, ThatForbidsStopsWhatIsQueuedAndALaterOneNeverWidens) {
  MachineFixture f;
  f.Accept(f.Arrears());
  auto strict = ReferenceWithRules(
      "\n  - id: no-more-arrears\n    effect: forbid\n    signal_types: [rent-arrears]\n");
  ASSERT_FALSE(f.DoAs(sample::kRegistrar,
                      machine::ActivatePolicy{strict.bytes, strict.digest, strict.compiled})
                   .refused);
  EXPECT_THAT(f.Pull(sample::kDebtRelief).items, IsEmpty());
  auto withheld = f.RecordsOf(v1::RECORD_KIND_WITHHELD);
  ASSERT_EQ(withheld.size(), 1u);
  EXPECT_EQ(withheld[0].reason(), "FORBIDDEN_BY_RULE");
  // Denied under the strict bundle, so a bundle that permits again brings nothing back.
  EXPECT_EQ(f.Accept(f.Arrears()).outcomes(0).reason(), "FORBIDDEN_BY_RULE");
  ASSERT_FALSE(
      f.DoAs(sample::kRegistrar,
             machine::ActivatePolicy{Reference().bytes, Reference().digest, Reference().compiled})
          .refused);
  EXPECT_THAT(f.Pull(sample::kDebtRelief).items, IsEmpty());
}

}  // namespace
}  // namespace schakel::testing
