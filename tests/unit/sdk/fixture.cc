#include "tests/unit/sdk/fixture.h"

#include "broker/crypto/hash.h"
#include "clients/sdk/files.h"
#include "clients/sdk/policy_client.h"
#include "clients/sdk/pseudonym_client.h"
#include "tests/support/paths.h"

namespace schakel::sdk {

std::shared_ptr<const LoadedBundle> Reference() {
  static const std::shared_ptr<const LoadedBundle> bundle = [] {
    const auto packed = PackPolicyFolder(checkout::SourcePath("policy/zuid-holland-zuid"),
                                         {{1, crypto::Sha256("a key document")}});
    EXPECT_TRUE(packed.ok()) << packed.error().message;
    auto loaded = LoadBundle(packed->bundle, packed->digest);
    EXPECT_TRUE(loaded.ok()) << loaded.error().field << " " << loaded.error().message;
    return *loaded;
  }();
  return bundle;
}

v1::SubjectRef Linked(const std::string& name) {
  v1::SubjectRef subject;
  auto* pair = subject.add_pairs();
  pair->set_epoch(1);
  pair->set_value(crypto::Sha256(name).str());
  return subject;
}

crypto::SecretBytes Secret(const std::string& text) { return crypto::SecretBytes::CopyOf(text); }

DraftSection SectionOf(const std::string& category, const std::string& content,
                       std::vector<uint16_t> subjects, const std::string& ground) {
  DraftSection section;
  section.category = category;
  section.content = Secret(content);
  section.subjects = std::move(subjects);
  section.ground = ground;
  return section;
}

SignalDraft ViolenceReport() {
  SignalDraft draft;
  draft.signal_type = "domestic-violence-report";
  draft.purpose = "stop-domestic-violence";
  draft.recipients.push_back(
      Addressee::To(policy::FunctionAtArea{"domestic-violence-centre", "dordrecht"}));
  draft.recipients.push_back(
      Addressee::To(policy::FunctionAtArea{"neighbourhood-team", "dordrecht"}));
  draft.subjects = {Linked("one"), Linked("two")};
  draft.sections.push_back(
      SectionOf("safety", R"({"occurred_on":"2026-01-02","kinds":["physical"]})", {1, 2}));
  draft.sections.push_back(SectionOf("social", R"({"household_size":4})", {1}));
  draft.sections.push_back(
      SectionOf("identity", R"({"family_name":"Een","birth_date":"1980-01-01"})", {1}));
  draft.sections.push_back(
      SectionOf("identity", R"({"family_name":"Twee","birth_date":"1982-02-02"})", {2}));
  return draft;
}

SignalDraft Arrears() {
  SignalDraft draft;
  draft.signal_type = "rent-arrears";
  draft.purpose = "prevent-eviction";
  draft.recipients.push_back(Addressee::To(policy::FunctionAtArea{"debt-relief", "dordrecht"}));
  draft.subjects = {UnlinkedSubject()};
  draft.sections.push_back(
      SectionOf("finances", R"({"months_in_arrears":3,"amount_cents":210000})", {}, "wgs-debt"));
  draft.sections.push_back(
      SectionOf("identity", R"({"family_name":"Een","birth_date":"1980-01-01"})", {}, "wgs-debt"));
  return draft;
}

Result<Member> FakeDirectory::Get(const OrganisationId& oin) {
  if (down) return *down;
  const auto found = members.find(oin);
  if (found == members.end()) return MakeError(ErrorCode::kNotFound, "NOT_FOUND", oin.str());
  return found->second;
}

Result<VerifiedKeySet> FakeDirectory::KeySetAt(const OrganisationId& oin, const Digest& digest,
                                               Millis created) {
  if (down) return *down;
  for (const auto& key_set : key_sets) {
    if (key_set.digest != digest || key_set.key_set.oin != oin) continue;
    if (created < key_set.key_set.not_before || created >= key_set.key_set.not_after) {
      return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_INVALID", "not valid then");
    }
    return key_set;
  }
  return MakeError(ErrorCode::kNotFound, "NOT_FOUND", "no such key set");
}

Result<std::shared_ptr<const LoadedBundle>> FakeBundles::ByDigest(const Digest& digest) {
  if (down) return *down;
  if (digest != Reference()->digest) {
    return MakeError(ErrorCode::kNotFound, "NOT_FOUND", "no such bundle");
  }
  return Reference();
}

v1::DeliveredSignal DeliverTo(const OrganisationId& reader, const Bytes& envelope_bytes) {
  v1::Envelope envelope;
  EXPECT_TRUE(envelope.ParseFromString(envelope_bytes));
  v1::DeliveredSignal delivered;
  delivered.set_header(envelope.header());
  *delivered.mutable_values() = envelope.values();
  *delivered.mutable_proof() = envelope.proof();
  delivered.set_bundle_digest(Reference()->digest.str());
  for (const auto& section : envelope.sections()) {
    for (const auto& wrap : section.wraps()) {
      if (wrap.recipient() != reader.str()) continue;
      auto* one = delivered.add_sections();
      *one = section;
      one->clear_wraps();
      *one->add_wraps() = wrap;
    }
  }
  return delivered;
}

Region::Region() : now(Now()) {}

void Region::Admit(const OrganisationId& oin, const std::string& sector,
                   std::vector<std::string> areas, bool bsn_authority) {
  pki.Issue(oin.str());
  auto store = KeyStore::Open(folder_.path() / ("keys-" + oin.str()));
  ASSERT_TRUE(store.ok()) << store.error().message;
  stores_[oin] = std::make_unique<KeyStore>(std::move(store).value());
  Member member;
  member.organisation.set_oin(oin.str());
  member.organisation.set_name("Test " + oin.str());
  member.organisation.set_role(v1::ROLE_PARTNER);
  member.organisation.set_sector(sector);
  for (const auto& area : areas) member.organisation.add_areas(area);
  member.organisation.set_bsn_authority(bsn_authority);
  directory.members[oin] = member;
  now = Now();  // a certificate is valid from the moment of its making
  Rotate(oin);
}

OwnKeySet Region::Rotate(const OrganisationId& oin) {
  KeyStore& store = KeysOf(oin);
  const auto chain =
      crypto::Certificate::ParseChain(crypto::ReadText(pki.path() / (oin.str() + ".chain.pem")));
  EXPECT_TRUE(chain.ok()) << chain.error().message;
  const auto made = store.Generate(*chain, now);
  EXPECT_TRUE(made.ok()) << made.error().message;
  auto own = store.Sign(pki.Key(oin.str()));
  EXPECT_TRUE(own.ok()) << own.error().message;
  EXPECT_TRUE(store.MarkRegistered(own->digest).ok());
  const VerifiedKeySet verified{own->key_set, own->digest};
  directory.members[oin].key_set = verified;
  directory.key_sets.push_back(verified);
  return *own;
}

Composer Region::NewComposer(const OrganisationId& sender, WrapChoice choice) {
  return Composer({sender, "user-1", std::nullopt}, Reference(), directory, choice);
}

}  // namespace schakel::sdk
