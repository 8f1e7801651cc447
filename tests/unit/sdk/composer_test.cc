#include "clients/sdk/composer.h"

#include "broker/crypto/envelope_format.h"
#include "broker/crypto/hash.h"
#include "broker/merkle/batch_tree.h"
#include "clients/sdk/pseudonym_client.h"
#include "tests/unit/sdk/fixture.h"

namespace schakel::sdk {
namespace {

class Composing : public ::testing::Test {
 protected:
  Composing() {
    region_.Admit(kPolice, "police", {"zuid-holland-zuid"}, true);
    region_.Admit(kCentre, "safety-house", {"zuid-holland-zuid"}, true);
    region_.Admit(kTeam, "municipality", {"dordrecht"}, true);
  }
  Result<ComposedSignal> Compose(const SignalDraft& draft, WrapChoice choice = WrapChoice::kByRules,
                                 const OrganisationId& sender = kPolice) {
    auto composer = region_.NewComposer(sender, choice);
    return composer.Compose(draft, region_.Current(sender), region_.now);
  }
  void ExpectRefused(const SignalDraft& draft, const std::string& reason,
                     const std::string& field) {
    const auto made = Compose(draft);
    ASSERT_FALSE(made.ok()) << reason;
    EXPECT_EQ(made.error().reason, reason) << made.error().message;
    EXPECT_EQ(made.error().field, field) << made.error().message;
  }

  Region region_;
};

v1::Envelope Parse(const Bytes& bytes) {
  v1::Envelope envelope;
  EXPECT_TRUE(envelope.ParseFromString(bytes));
  return envelope;
}

// Who has a wrap, by category.
std::multimap<std::string, std::string> Readers(const v1::Envelope& envelope) {
  std::multimap<std::string, std::string> readers;
  for (const auto& section : envelope.sections()) {
    v1::SectionMeta meta;
    EXPECT_TRUE(meta.ParseFromString(section.meta()));
    for (const auto& wrap : section.wraps()) readers.emplace(meta.category(), wrap.recipient());
  }
  return readers;
}

TEST_F(Composing, WrapsEachSectionForWhomTheRulesCouldPermitOnly) {
  const auto made = Compose(ViolenceReport());
  ASSERT_TRUE(made.ok()) << made.error().field << ": " << made.error().message;
  const auto envelope = Parse(made->envelope);
  const auto readers = Readers(envelope);
  EXPECT_EQ(readers.count("safety"), 1u);
  EXPECT_EQ(readers.find("safety")->second, kCentre.str());
  EXPECT_EQ(readers.count("social"), 2u);
  EXPECT_EQ(readers.count("identity"), 3u) << "both for the centre, subject 1 for the team";
  ASSERT_EQ(made->plan.size(), 2u);
  EXPECT_EQ(made->plan[1].oin, kTeam);
  EXPECT_EQ(made->plan[1].sections[0].reason, "NO_RULE");
  EXPECT_TRUE(made->plan[1].sections[1].wrapped);
  EXPECT_EQ(made->plan[1].sections[3].reason, "IDENTITY_ALONE");
}

TEST_F(Composing, SignsWhatTheFormatSays) {
  const auto made = Compose(ViolenceReport());
  ASSERT_TRUE(made.ok());
  const auto envelope = Parse(made->envelope);
  const Digest hd = crypto::HeaderDigest(envelope.header());
  std::vector<Digest> known = {crypto::RoutingDigest(hd, envelope.routing())};
  for (int i = 0; i < envelope.sections_size(); ++i) {
    const auto& section = envelope.sections(i);
    if (i > 0) {
      EXPECT_LT(envelope.sections(i - 1).sid(), section.sid());
    }
    const Digest sd = crypto::SectionDigest({hd, *SectionId::From(section.sid()), section.meta(),
                                             *Digest::From(section.commitment()),
                                             crypto::Sha256(section.ciphertext())});
    known.push_back(sd);
    for (const auto& wrap : section.wraps()) {
      known.push_back(crypto::WrapDigest(sd, Oin(wrap.recipient()), wrap.enc(), wrap.wrapped()));
    }
  }
  std::vector<Digest> values;
  for (const auto& value : envelope.values()) values.push_back(*Digest::From(value));
  EXPECT_EQ(crypto::CheckAllValues(values, known), crypto::ValuesFault::kNone);
  EXPECT_EQ(crypto::EnvelopeDigest(hd, values), made->envelope_digest);
  const auto root = merkle::BatchRoot(made->envelope_digest, 0, 1, {});
  EXPECT_TRUE(crypto::VerifyEd25519(region_.Current(kPolice).key_set.signing_key,
                                    crypto::BatchMessage(1, *root), envelope.proof().signature()));
  v1::Header header;
  ASSERT_TRUE(header.ParseFromString(envelope.header()));
  EXPECT_EQ(header.region(), "zhz.example");
  EXPECT_EQ(header.expires_ms() - header.created_ms(), 5u * 24 * 3600 * 1000) << "the type's own";
  v1::Routing routing;
  ASSERT_TRUE(routing.ParseFromString(envelope.routing()));
  EXPECT_EQ(routing.actor(), "user-1");
  EXPECT_EQ(routing.recipients(0).function().function(), "domestic-violence-centre");
}

TEST_F(Composing, PutsNoContentAndNoOtherReaderIntoTheClear) {
  const auto made = Compose(ViolenceReport());
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->envelope.find("Twee"), Bytes::npos);
  EXPECT_EQ(made->envelope.find("household_size"), Bytes::npos);
}

TEST_F(Composing, SignsABatchOnceAndGivesEachItsPath) {
  std::vector<SignalDraft> drafts;
  for (int i = 0; i < 5; ++i) drafts.push_back(ViolenceReport());
  auto composer = region_.NewComposer(kPolice);
  const auto own = region_.Current(kPolice);
  const auto made = composer.ComposeBatch(drafts, own, region_.now);
  ASSERT_TRUE(made.ok()) << made.error().message;
  ASSERT_EQ(made->size(), 5u);
  for (uint32_t i = 0; i < 5; ++i) {
    const auto envelope = Parse((*made)[i].envelope);
    EXPECT_EQ(envelope.proof().signature(), Parse((*made)[0].envelope).proof().signature());
    const auto path = merkle::PathFrom(envelope.proof().path());
    const auto root = merkle::BatchRoot((*made)[i].envelope_digest, i, 5, *path);
    EXPECT_TRUE(crypto::VerifyEd25519(own.key_set.signing_key, crypto::BatchMessage(5, *root),
                                      envelope.proof().signature()));
  }
  std::vector<SignalDraft> none;
  EXPECT_EQ(composer.ComposeBatch(none, own, region_.now).error().reason, "TOO_LARGE");
}

TEST_F(Composing, SealsNothingThatNobodyMayRead) {
  auto draft = ViolenceReport();
  draft.recipients.erase(draft.recipients.begin());  // the team alone may not read police data
  const auto made = Compose(draft);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(made.error().reason, "NO_RULE");
  EXPECT_EQ(made.error().field, "sections[0]");
  EXPECT_TRUE(Compose(draft, WrapChoice::kEveryRecipient).ok()) << "left to the broker";
}

TEST_F(Composing, WrapsForNamedReadersAndNobodyElse) {
  auto draft = ViolenceReport();
  draft.sections[1].readers = {1};
  const auto made = Compose(draft);
  ASSERT_TRUE(made.ok()) << made.error().message;
  const auto readers = Readers(Parse(made->envelope));
  EXPECT_EQ(readers.count("social"), 1u);
  // Without a section about subject 1 the team gets no identity either.
  EXPECT_EQ(readers.count("identity"), 2u);
}

TEST_F(Composing, LeavesOutARecipientThatCannotReceive) {
  region_.directory.members[kTeam].disabled = true;
  const auto made = Compose(ViolenceReport());
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(made->plan[1].sections[1].reason, "RECIPIENT_UNAVAILABLE");
  for (const auto& [category, reader] : Readers(Parse(made->envelope))) {
    EXPECT_EQ(reader, kCentre.str()) << category;
  }
  region_.directory.members.erase(kTeam);
  EXPECT_TRUE(Compose(ViolenceReport()).ok());
}

TEST_F(Composing, StopsWhenTheDirectoryDoesNotVerify) {
  region_.directory.down = MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_INVALID", "swapped");
  EXPECT_EQ(Compose(ViolenceReport()).error().reason, "KEY_SET_INVALID");
}

TEST_F(Composing, RefusesWhatTheBundleDoesNotKnow) {
  auto type = ViolenceReport();
  type.signal_type = "no-such-type";
  ExpectRefused(type, "UNKNOWN_CODE", "signal_type");
  auto purpose = ViolenceReport();
  purpose.purpose = "curiosity";
  ExpectRefused(purpose, "UNKNOWN_CODE", "purpose");
  auto category = ViolenceReport();
  category.sections[1].category = "gossip";
  ExpectRefused(category, "UNKNOWN_CODE", "sections[1].category");
  auto ground = ViolenceReport();
  ground.sections[1].ground = "because";
  ExpectRefused(ground, "UNKNOWN_CODE", "sections[1].ground");
  auto condition = ViolenceReport();
  condition.sections[0].attested = {"moon-is-full"};
  ExpectRefused(condition, "UNKNOWN_CODE", "sections[0].attested");
  auto function = ViolenceReport();
  function.recipients[1] = Addressee::To(policy::FunctionAtArea{"neighbour-help", "gorinchem"});
  ExpectRefused(function, "FUNCTION_UNRESOLVED", "recipients[1]");
  auto not_of_type = ViolenceReport();
  not_of_type.sections[1].category = "finances";
  ExpectRefused(not_of_type, "FIELD_INVALID", "sections[1].category");
}

TEST_F(Composing, RefusesShapesThatTheFormatForbids) {
  auto nobody = ViolenceReport();
  nobody.recipients.clear();
  ExpectRefused(nobody, "FIELD_MISSING", "recipients");
  auto twice = ViolenceReport();
  twice.recipients[1] = Addressee::To(kCentre);
  ExpectRefused(twice, "FIELD_INVALID", "recipients[1]");
  auto both = ViolenceReport();
  both.recipients[1].organisation = kTeam;
  ExpectRefused(both, "FIELD_INVALID", "recipients[1]");
  auto many = ViolenceReport();
  for (int i = 0; i < 16; ++i) many.subjects.push_back(Linked("x"));
  ExpectRefused(many, "TOO_LARGE", "subjects");
  auto number = ViolenceReport();
  number.sections[0].subjects = {3};
  ExpectRefused(number, "FIELD_INVALID", "sections[0].subjects");
  auto identity = ViolenceReport();
  identity.sections[2].subjects = {};
  ExpectRefused(identity, "FIELD_INVALID", "sections[2].subjects");
  auto epoch = ViolenceReport();
  epoch.subjects[0].mutable_pairs(0)->set_epoch(7);
  ExpectRefused(epoch, "SUBJECT_REF_INVALID", "subjects[0]");
  auto unlinked_bsn = ViolenceReport();
  unlinked_bsn.subjects[0] = UnlinkedSubject();
  unlinked_bsn.sections.push_back(SectionOf("identity-bsn", R"({"bsn":"999990019"})", {1}));
  ExpectRefused(unlinked_bsn, "UNLINKED_SUBJECT", "sections[4].subjects");
  auto expiry = ViolenceReport();
  expiry.expires_in = Millis(std::chrono::hours(24 * 31));
  ExpectRefused(expiry, "EXPIRY_OUT_OF_RANGE", "expires_in");
  auto two_ties = ViolenceReport();
  two_ties.follows = two_ties.supersedes = *SignalId::From(Bytes(16, 'x'));
  ExpectRefused(two_ties, "FIELD_INVALID", "supersedes");
}

TEST_F(Composing, RefusesContentThatMissesItsSchemaWithoutRepeatingIt) {
  auto draft = ViolenceReport();
  draft.sections[1].content = Secret(R"({"household_size":4,"diagnosis":"secret thing"})");
  const auto made = Compose(draft);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().reason, "CONTENT_INVALID");
  EXPECT_EQ(made.error().field.rfind("sections[1].content", 0), 0u) << made.error().field;
  EXPECT_EQ(made.error().message.find("secret thing"), std::string::npos);
  auto large = ViolenceReport();
  large.sections[1].content =
      Secret(R"({"household_size":4,"note":")" + std::string(70000, 'x') + R"("})");
  EXPECT_FALSE(Compose(large).ok());
}

TEST_F(Composing, RefusesAKeySetOfSomebodyElseOrOneThatEnded) {
  auto composer = region_.NewComposer(kPolice);
  EXPECT_EQ(composer.Compose(ViolenceReport(), region_.Current(kTeam), region_.now).error().reason,
            "KEY_SET_MISSING");
  EXPECT_EQ(composer
                .Compose(ViolenceReport(), region_.Current(kPolice),
                         region_.now + Millis(std::chrono::hours(24 * 91)))
                .error()
                .reason,
            "KEY_SET_MISSING");
}

TEST_F(Composing, AsksPreflightWithoutContent) {
  auto composer = region_.NewComposer(kPolice);
  const auto request = composer.PreflightOf(ViolenceReport(), region_.now);
  ASSERT_TRUE(request.ok()) << request.error().message;
  EXPECT_EQ(request->recipients_size(), 2);
  EXPECT_EQ(request->subjects_size(), 2);
  ASSERT_EQ(request->sections_size(), 4);
  EXPECT_EQ(request->sections(1).subject_labels(0), request->subjects(0).label());
  EXPECT_EQ(request->SerializeAsString().find("Twee"), std::string::npos);
  const auto plan = composer.Plan(ViolenceReport(), region_.now);
  ASSERT_TRUE(plan.ok());
  EXPECT_FALSE((*plan)[1].sections[0].wrapped);
}

TEST(DraftDigest, ChangesWithEveryInputAndNotWithRandomness) {
  const auto digest = [](const SignalDraft& draft) { return DraftDigest(draft, Bytes(32, 'k')); };
  EXPECT_EQ(digest(Arrears()), digest(Arrears())) << "unlinked values are random";
  EXPECT_NE(DraftDigest(Arrears(), Bytes(32, 'k')), DraftDigest(Arrears(), Bytes(32, 'l')));
  std::vector<Digest> seen = {digest(ViolenceReport())};
  const std::vector<std::function<void(SignalDraft&)>> changes = {
      [](SignalDraft& d) { d.signal_type += "x"; },
      [](SignalDraft& d) { d.purpose += "x"; },
      [](SignalDraft& d) { d.urgency = v1::URGENCY_ACUTE; },
      [](SignalDraft& d) { d.expires_in = Millis(5); },
      [](SignalDraft& d) { d.follows = *SignalId::From(Bytes(16, 'x')); },
      [](SignalDraft& d) { d.supersedes = *SignalId::From(Bytes(16, 'x')); },
      [](SignalDraft& d) { d.case_id = *CaseId::From(Bytes(16, 'x')); },
      [](SignalDraft& d) { d.recipients.pop_back(); },
      [](SignalDraft& d) { d.subjects[0] = Linked("three"); },
      [](SignalDraft& d) { d.subjects[0] = UnlinkedSubject(); },
      [](SignalDraft& d) { d.sections.pop_back(); },
      [](SignalDraft& d) { d.sections[0].ground = "wgs-zvh"; },
      [](SignalDraft& d) { d.sections[0].attested = {"x"}; },
      [](SignalDraft& d) { d.sections[0].readers = {1}; },
      [](SignalDraft& d) { d.sections[0].subjects = {1}; },
      [](SignalDraft& d) { d.sections[0].content = Secret("{}"); },
      [](SignalDraft& d) { d.sections[0].media_type = "text/plain"; },
      [](SignalDraft& d) { d.sections[0].schema_id = "x"; },
  };
  for (const auto& change : changes) {
    auto draft = ViolenceReport();
    change(draft);
    const Digest changed = digest(draft);
    for (const Digest& other : seen) EXPECT_NE(changed, other) << seen.size();
    seen.push_back(changed);
  }
}

}  // namespace
}  // namespace schakel::sdk
