#include "tests/vectors/envelope/envelope_vectors.h"

#include <algorithm>
#include <vector>

#include "broker/crypto/envelope_format.h"
#include "broker/crypto/envelope_internal.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/hpke_internal.h"
#include "broker/crypto/key_set.h"
#include "broker/crypto/padding.h"
#include "broker/crypto/seal_internal.h"
#include "broker/merkle/batch_tree.h"
#include "schakel/v1/envelope.pb.h"
#include "tests/vectors/envelope/fixed.h"

namespace schakel::vectors {
namespace {

using Json = nlohmann::ordered_json;

// The pseudonym of BSN 999990019 under the test key of RFC 9497
// (tests/vectors/schakel/formats-1.json).
constexpr const char* kPseudonym =
    "01e1ab4e67dff0865364ecc432a920f71acdfb2a54661b7eba4e753f8c2227b3";

struct Party {
  OrganisationId oin;
  crypto::SigningKey signing_key;
  crypto::X25519KeyPair sealing_key;
  Bytes key_set;  // as bytes

  Digest key_set_digest() const { return crypto::KeySetDigest(key_set); }
};

Party PartyOf(const std::string& oin) {
  crypto::SigningKey signing_key = FixedSigningKey("signing key of " + oin);
  crypto::X25519KeyPair sealing_key = FixedSealingKey("sealing key of " + oin);
  const Millis not_before(static_cast<int64_t>(kCreatedMs - kDayMs));
  const crypto::KeySet key_set{
      Oin(oin),
      1,
      not_before,
      not_before + std::chrono::hours(24 * 90),
      Digest(),
      sealing_key.public_key(),
      signing_key.public_key(),
  };
  Bytes bytes = crypto::EncodeKeySet(key_set);
  return {Oin(oin), std::move(signing_key), std::move(sealing_key), std::move(bytes)};
}

Json ToJson(const Party& party) {
  return {{"oin", party.oin.str()},
          {"signing_key_seed", Hex(party.signing_key.seed())},
          {"signing_public_key", Hex(party.signing_key.public_key())},
          {"sealing_private_key", Hex(party.sealing_key.private_key())},
          {"sealing_public_key", Hex(party.sealing_key.public_key())},
          {"key_set", Hex(party.key_set)},
          {"key_set_digest", Hex(party.key_set_digest())},
          {"new_key_signature", Hex(party.signing_key.Sign(party.key_set))}};
}

// What goes into one section.
struct Draft {
  std::string category;
  std::vector<std::string> subjects;  // names of labels
  std::vector<const Party*> recipients;
  std::string content;
};

class Maker {
 public:
  Json Make() {
    Bytes header = Header();
    hd_ = crypto::HeaderDigest(header);
    const Bytes routing = Routing();
    Json sections = Sections();
    const Digest rt = crypto::RoutingDigest(hd_, routing);
    known_.push_back(rt);
    Json values = Values();
    envelope_.set_header(header);
    envelope_.set_routing(routing);
    Json batch = Batch();
    return {
        {"comment",
         "One signal as proto/ENVELOPE.md lays down; bytes in hex. All keys and random "
         "values are fixed and published: never use them."},
        {"sender", ToJson(sender_)},
        {"recipients", Json::array({ToJson(first_), ToJson(second_)})},
        {"header", Hex(header)},
        {"routing", Hex(routing)},
        {"hd", Hex(hd_)},
        {"sections", std::move(sections)},
        {"rt", Hex(rt)},
        {"values", std::move(values)},
        {"batch", std::move(batch)},
        {"envelope", Hex(envelope_.SerializeAsString())},
    };
  }

 private:
  Bytes Header() const {
    v1::Header header;
    header.set_format_version(1);
    header.set_region(kRegion);
    header.set_signal_id(FixedUuid("signal id"));
    header.set_sender(sender_.oin.str());
    header.set_sender_key_set_digest(sender_.key_set_digest().str());
    header.set_signal_type("rent-arrears");
    header.set_purpose("prevent-eviction");
    header.set_urgency(v1::URGENCY_NORMAL);
    header.set_created_ms(kCreatedMs);
    header.set_expires_ms(kCreatedMs + 5 * kDayMs);
    header.set_checkpoint_size(42);
    header.set_checkpoint_root(Fixed("root of the checkpoint seen", 32));
    header.set_random(Fixed("header random", 32));
    return header.SerializeAsString();
  }

  static void SetRef(v1::SubjectRef* ref, uint32_t epoch, const Bytes& value) {
    v1::SubjectRefPair* pair = ref->add_pairs();
    pair->set_epoch(epoch);
    pair->set_value(value);
  }

  Bytes Routing() const {
    v1::Routing routing;
    v1::RoutedRecipient* recipient = routing.add_recipients();
    recipient->set_oin(first_.oin.str());
    recipient->mutable_function()->set_function("debt-relief");
    recipient->mutable_function()->set_area("dordrecht");
    routing.add_recipients()->set_oin(second_.oin.str());
    routing.set_case_id(Fixed("case", 16));
    v1::RoutedSubject* subject = routing.add_subjects();
    subject->set_label(Fixed("label tenant", 16));
    SetRef(subject->mutable_ref(), 1, HexDecode(kPseudonym).value());
    subject = routing.add_subjects();
    subject->set_label(Fixed("label partner", 16));
    SetRef(subject->mutable_ref(), 0, Fixed("unlinked subject", 32));
    routing.set_actor("user-17");
    routing.set_random(Fixed("routing random", 16));
    return routing.SerializeAsString();
  }

  Bytes Meta(const Draft& draft) const {
    v1::SectionMeta meta;
    meta.set_category(draft.category);
    for (const std::string& name : draft.subjects) {
      meta.add_subject_labels(Fixed("label " + name, 16));
    }
    meta.set_ground("wgs-debt");
    if (draft.category == "finances") meta.add_attested_conditions("arrears-contact-failed");
    if (draft.category == "identity-bsn") {
      SetRef(meta.mutable_subject_ref(), 1, HexDecode(kPseudonym).value());
    }
    return meta.SerializeAsString();
  }

  // In ascending order of sid, as they travel.
  Json Sections() {
    std::vector<Draft> drafts = {
        {"finances",
         {"tenant", "partner"},
         {&first_, &second_},
         R"({"months":3,"amount_eur":1450})"},
        {"housing", {"tenant"}, {&second_}, R"({"notice":"2026-03-01"})"},
        {"identity-bsn", {"tenant"}, {&first_}, R"({"bsn":"999990019"})"},
    };
    const auto sid = [](const Draft& draft) { return Fixed("sid " + draft.category, 16); };
    std::sort(drafts.begin(), drafts.end(),
              [&](const Draft& a, const Draft& b) { return sid(a) < sid(b); });
    Json sections = Json::array();
    for (const Draft& draft : drafts) sections.push_back(Section(draft, sid(draft)));
    return sections;
  }

  Json Section(const Draft& draft, const Bytes& raw_sid) {
    const SectionId sid = SectionId::From(raw_sid).value();
    const Bytes meta = Meta(draft);
    const std::string schema = draft.category + "/1";
    const crypto::SecretBytes content_key = FixedSecret("content key " + draft.category);
    const auto ephemeral = [&](const OrganisationId& to) {
      return "ephemeral " + draft.category + " " + to.str();
    };
    std::vector<crypto::SealRecipient> recipients;
    for (const Party* to : draft.recipients) {
      recipients.push_back({to->oin, to->key_set_digest(), to->sealing_key.public_key()});
    }
    size_t next = 0;
    const crypto::SealedSection sealed =
        crypto::seal_internal::SealSectionWith(
            {hd_, sender_.oin, sid, meta, "application/json", schema, draft.content, recipients},
            content_key, [&] { return FixedSealingKey(ephemeral(recipients.at(next++).oin)); })
            .value();
    known_.push_back(sealed.section_digest);

    v1::Section* section = envelope_.add_sections();
    section->set_sid(raw_sid);
    section->set_meta(meta);
    section->set_commitment(sealed.commitment.str());
    section->set_ciphertext(sealed.ciphertext);
    const crypto::SecretBytes padded =
        crypto::PadPlaintext("application/json", schema, draft.content).value();
    const crypto::SectionKeys keys = crypto::DeriveSectionKeys(content_key, hd_, sid);
    Json wraps = Json::array();
    for (size_t i = 0; i < recipients.size(); ++i) {
      wraps.push_back(WrapJson(recipients[i], sealed, i, ephemeral(recipients[i].oin)));
      v1::Wrap* wrap = section->add_wraps();
      wrap->set_recipient(sealed.wraps[i].recipient.str());
      wrap->set_recipient_key_set_digest(sealed.wraps[i].recipient_key_set.str());
      wrap->set_enc(sealed.wraps[i].enc);
      wrap->set_wrapped(sealed.wraps[i].wrapped);
    }
    return {{"sid", Hex(raw_sid)},
            {"meta", Hex(meta)},
            {"media_type", "application/json"},
            {"schema_id", schema},
            {"content", draft.content},
            {"padded", Hex(padded)},
            {"cek", Hex(content_key)},
            {"key", Hex(keys.key)},
            {"com", Hex(sealed.commitment)},
            {"aad", Hex(crypto::SectionAad(hd_, sid, meta))},
            {"ciphertext", Hex(sealed.ciphertext)},
            {"ciphertext_digest", Hex(crypto::Sha256(sealed.ciphertext))},
            {"sd", Hex(sealed.section_digest)},
            {"wraps", std::move(wraps)}};
  }

  Json WrapJson(const crypto::SealRecipient& to, const crypto::SealedSection& sealed, size_t i,
                const std::string& ephemeral_name) {
    namespace hpke = crypto::hpke_internal;
    const crypto::SealedWrap& wrap = sealed.wraps[i];
    known_.push_back(wrap.wrap_digest);
    const crypto::X25519KeyPair ephemeral = FixedSealingKey(ephemeral_name);
    const crypto::SecretBytes shared_secret = hpke::Encap(to.sealing_key, ephemeral).value();
    const hpke::Context context = hpke::KeySchedule(shared_secret, crypto::WrapInfo());
    return {{"recipient_oin", to.oin.str()},
            {"recipient_key_set_digest", Hex(to.key_set)},
            {"hpke_info", Hex(crypto::WrapInfo())},
            {"hpke_aad",
             Hex(crypto::WrapAad({sender_.oin, to.oin, to.key_set}, sealed.section_digest))},
            {"hpke_ephemeral_ikm", Hex(Fixed(ephemeral_name, 32))},
            {"hpke_ephemeral_private_key", Hex(ephemeral.private_key())},
            {"hpke_shared_secret", Hex(shared_secret)},
            {"hpke_key", Hex(context.key())},
            {"hpke_base_nonce", Hex(context.base_nonce())},
            {"enc", Hex(wrap.enc)},
            {"wrapped", Hex(wrap.wrapped)},
            {"wd", Hex(wrap.wrap_digest)}};
  }

  Json Values() {
    int filled = 0;
    Json filling = Json::array();
    const std::vector<Digest> values = crypto::envelope_internal::BuildValuesWith(known_, [&] {
      const Digest fill = *Digest::From(Fixed("filling " + std::to_string(filled++), 32));
      filling.push_back(Hex(fill));
      return fill;
    });
    Json all = Json::array();
    for (const Digest& value : values) {
      all.push_back(Hex(value));
      envelope_.add_values(value.str());
    }
    digest_ = crypto::EnvelopeDigest(hd_, values);
    return {{"filling", std::move(filling)}, {"all", std::move(all)}};
  }

  // Second of three envelopes; the others are known by their digests only.
  Json Batch() {
    const std::vector<Digest> entries = {*Digest::From(Fixed("envelope before", 32)), digest_,
                                         *Digest::From(Fixed("envelope after", 32))};
    const auto tree = merkle::BatchTree::Build(entries).value();
    const Bytes message = crypto::BatchMessage(tree.size(), tree.root());
    v1::BatchProof* proof = envelope_.mutable_proof();
    proof->set_index(1);
    proof->set_count(tree.size());
    Json path = Json::array();
    for (const Digest& hash : tree.PathOf(1)) {
      path.push_back(Hex(hash));
      proof->add_path(hash.str());
    }
    proof->set_signature(sender_.signing_key.Sign(message));
    return {{"envelope_digest", Hex(digest_)},
            {"entries", {Hex(entries[0]), Hex(entries[1]), Hex(entries[2])}},
            {"count", tree.size()},
            {"index", 1},
            {"leaf", Hex(merkle::LeafHash(digest_))},
            {"path", std::move(path)},
            {"root", Hex(tree.root())},
            {"message", Hex(message)},
            {"signature", Hex(proof->signature())}};
  }

  const Party sender_ = PartyOf(kSenderOin);
  const Party first_ = PartyOf("00000099000000002000");
  const Party second_ = PartyOf("00000099000000002001");
  Digest hd_;
  Digest digest_;
  std::vector<Digest> known_;
  v1::Envelope envelope_;
};

}  // namespace

Json EnvelopeVectors() { return Maker().Make(); }

std::string FileText(const Json& vectors) { return vectors.dump(1) + "\n"; }

}  // namespace schakel::vectors
