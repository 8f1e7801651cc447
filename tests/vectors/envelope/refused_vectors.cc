#include <functional>
#include <vector>

#include "broker/crypto/aead.h"
#include "broker/crypto/envelope_format.h"
#include "broker/crypto/envelope_internal.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/hpke_internal.h"
#include "broker/crypto/padding.h"
#include "broker/merkle/batch_tree.h"
#include "schakel/v1/inbox.pb.h"
#include "tests/vectors/envelope/envelope_vectors.h"
#include "tests/vectors/envelope/fixed.h"

namespace schakel::vectors {
namespace {

using Json = nlohmann::ordered_json;
using v1::DeliveredSignal;

constexpr const char* kReaderOin = "00000099000000002000";
constexpr const char* kOtherOin = "00000099000000002001";

// What a sender chooses when it seals; by default all of it right.
struct Choices {
  Bytes padded;
  Digest commitment;
  Bytes section_key;
  crypto::X25519PublicKey wrapped_for;
  OrganisationId wrapped_by = Oin(kSenderOin);
  OrganisationId wrapped_to = Oin(kReaderOin);
};

class Sender {
 public:
  Choices Right() const {
    return {Bytes(crypto::PadPlaintext("application/json", "finances/1", "{}")->ExposeSecret()),
            keys_.commitment, Bytes(keys_.key.ExposeSecret()), reader_.public_key()};
  }

  // Sealed as chosen, with digests, values and signature that fit what came out.
  DeliveredSignal Deliver(const Choices& choices) const {
    const Bytes ciphertext =
        crypto::SealAes256Gcm(crypto::SecretBytes::CopyOf(choices.section_key), Bytes(12, '\0'),
                              crypto::SectionAad(hd_, sid_, meta_), choices.padded)
            .value();
    const Digest sd =
        crypto::SectionDigest({hd_, sid_, meta_, choices.commitment, crypto::Sha256(ciphertext)});
    const crypto::HpkeSealed wrap =
        crypto::hpke_internal::SealBaseWith(
            FixedSealingKey("refused, ephemeral"), choices.wrapped_for, crypto::WrapInfo(),
            crypto::WrapAad({choices.wrapped_by, choices.wrapped_to, key_set_}, sd),
            content_key_.ExposeSecret())
            .value();
    DeliveredSignal signal;
    signal.set_header(header_);
    v1::Section* section = signal.add_sections();
    section->set_sid(sid_.str());
    section->set_meta(meta_);
    section->set_commitment(choices.commitment.str());
    section->set_ciphertext(ciphertext);
    v1::Wrap* own = section->add_wraps();
    own->set_recipient(kReaderOin);
    own->set_recipient_key_set_digest(key_set_.str());
    own->set_enc(wrap.enc);
    own->set_wrapped(wrap.ciphertext);
    Commit(signal);
    return signal;
  }

  // Values and signature anew, for what the signal holds now.
  void Commit(DeliveredSignal& signal) const {
    const Digest hd = crypto::HeaderDigest(signal.header());
    std::vector<Digest> known = {crypto::RoutingDigest(hd, "routing")};
    for (const v1::Section& s : signal.sections()) {
      const Digest sd =
          crypto::SectionDigest({hd, *SectionId::From(s.sid()), s.meta(),
                                 *Digest::From(s.commitment()), crypto::Sha256(s.ciphertext())});
      known.push_back(sd);
      known.push_back(crypto::WrapDigest(sd, Oin(s.wraps(0).recipient()), s.wraps(0).enc(),
                                         s.wraps(0).wrapped()));
    }
    int filled = 0;
    signal.clear_values();
    for (const Digest& value : crypto::envelope_internal::BuildValuesWith(known, [&] {
           return *Digest::From(Fixed("refused, filling " + std::to_string(filled++), 32));
         })) {
      signal.add_values(value.str());
    }
    Sign(signal);
  }

  // The signature anew, over the values as they stand.
  void Sign(DeliveredSignal& signal) const {
    std::vector<Digest> values;
    for (const std::string& value : signal.values()) values.push_back(*Digest::From(value));
    const Digest digest = crypto::EnvelopeDigest(crypto::HeaderDigest(signal.header()), values);
    const Digest root = merkle::BatchTree::Build(std::span(&digest, 1))->root();
    v1::BatchProof* proof = signal.mutable_proof();
    proof->Clear();
    proof->set_index(0);
    proof->set_count(1);
    proof->set_signature(signing_key_.Sign(crypto::BatchMessage(1, root)));
  }

  Json Keys() const {
    return {{"sender_oin", kSenderOin},
            {"sender_signing_public_key", Hex(signing_key_.public_key())},
            {"reader_oin", kReaderOin},
            {"reader_key_set_digest", Hex(key_set_)},
            {"reader_sealing_private_key", Hex(reader_.private_key())}};
  }

 private:
  const crypto::SigningKey signing_key_ = FixedSigningKey("refused, signing key");
  const crypto::X25519KeyPair reader_ = FixedSealingKey("refused, sealing key");
  const Digest key_set_ = *Digest::From(Fixed("refused, key set", 32));
  const Bytes header_ = "header: any bytes will do from step 4 on";
  const Bytes meta_ = "meta: likewise";
  const SectionId sid_ = *SectionId::From(Fixed("refused, sid", 16));
  const Digest hd_ = crypto::HeaderDigest(header_);
  const crypto::SecretBytes content_key_ = FixedSecret("refused, content key");
  const crypto::SectionKeys keys_ = crypto::DeriveSectionKeys(content_key_, hd_, sid_);
};

void Flip(std::string* bytes) { bytes->back() = static_cast<char>(bytes->back() ^ 1); }

// S + L of RFC 8032: the same signature to a verifier that does not look.
void AddOrder(std::string* signature) {
  const Bytes order =
      HexDecode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").value();
  unsigned carry = 0;
  for (size_t i = 0; i < 32; ++i) {
    carry += static_cast<uint8_t>((*signature)[32 + i]) + static_cast<uint8_t>(order[i]);
    (*signature)[32 + i] = static_cast<char>(carry & 0xff);
    carry >>= 8;
  }
}

struct Tampering {
  const char* name;
  std::function<void(const Sender&, DeliveredSignal&)> apply;
};

// Changed after the sender signed, or signed over values that do not fit: step 4.
const std::vector<Tampering>& Tamperings() {
  using S = DeliveredSignal;
  static const auto* all = new std::vector<Tampering>{
      {"a bit of the header", [](auto&, S& s) { Flip(s.mutable_header()); }},
      {"a bit of the meta", [](auto&, S& s) { Flip(s.mutable_sections(0)->mutable_meta()); }},
      {"a bit of the sid", [](auto&, S& s) { Flip(s.mutable_sections(0)->mutable_sid()); }},
      {"a bit of com", [](auto&, S& s) { Flip(s.mutable_sections(0)->mutable_commitment()); }},
      {"a bit of ct", [](auto&, S& s) { Flip(s.mutable_sections(0)->mutable_ciphertext()); }},
      {"a bit of enc",
       [](auto&, S& s) { Flip(s.mutable_sections(0)->mutable_wraps(0)->mutable_enc()); }},
      {"a bit of wrapped",
       [](auto&, S& s) { Flip(s.mutable_sections(0)->mutable_wraps(0)->mutable_wrapped()); }},
      {"a bit of a value", [](auto&, S& s) { Flip(s.mutable_values(15)); }},
      {"two values swapped, signed so",
       [](const Sender& sender, S& s) {
         s.mutable_values()->SwapElements(3, 4);
         sender.Sign(s);
       }},
      {"two values equal, signed so",
       [](const Sender& sender, S& s) {
         s.set_values(15, s.values(14));
         sender.Sign(s);
       }},
      {"15 values, signed so",
       [](const Sender& sender, S& s) {
         s.mutable_values()->RemoveLast();
         sender.Sign(s);
       }},
      {"a wrap that was not signed for",
       [](const Sender& sender, S& s) {
         const v1::Wrap own = s.sections(0).wraps(0);
         Flip(s.mutable_sections(0)->mutable_wraps(0)->mutable_wrapped());
         sender.Commit(s);
         *s.mutable_sections(0)->mutable_wraps(0) = own;
       }},
      {"a bit of the signature", [](auto&, S& s) { Flip(s.mutable_proof()->mutable_signature()); }},
      {"a signature with the order added to S",
       [](auto&, S& s) { AddOrder(s.mutable_proof()->mutable_signature()); }},
      {"another count than was signed", [](auto&, S& s) { s.mutable_proof()->set_count(2); }},
      {"an index outside the batch", [](auto&, S& s) { s.mutable_proof()->set_index(1); }},
      {"a path that is too long",
       [](auto&, S& s) { s.mutable_proof()->add_path(Bytes(32, '\0')); }},
  };
  return *all;
}

Json Case(const std::string& name, int step, const DeliveredSignal& signal) {
  return {{"name", name}, {"step", step}, {"delivered", Hex(signal.SerializeAsString())}};
}

}  // namespace

Json RefusedVectors() {
  const Sender sender;
  const DeliveredSignal good = sender.Deliver(sender.Right());
  Json cases = Json::array();
  const auto sealed = [&](const char* name, int step, const std::function<void(Choices&)>& change) {
    Choices choices = sender.Right();
    change(choices);
    cases.push_back(Case(name, step, sender.Deliver(choices)));
  };

  sealed("a ciphertext of 2 KiB", 1, [](Choices& c) { c.padded.resize(2048); });
  for (const Tampering& tampering : Tamperings()) {
    DeliveredSignal signal = good;
    tampering.apply(sender, signal);
    cases.push_back(Case(tampering.name, 4, signal));
  }
  sealed("wrapped for another key", 5, [](Choices& c) {
    c.wrapped_for = FixedSealingKey("refused, another reader").public_key();
  });
  sealed("wrapped in another sender's name", 5, [](Choices& c) { c.wrapped_by = Oin(kOtherOin); });
  sealed("wrapped for another organisation", 5, [](Choices& c) { c.wrapped_to = Oin(kOtherOin); });
  DeliveredSignal zero = good;
  zero.mutable_sections(0)->mutable_wraps(0)->set_enc(Bytes(32, '\0'));
  sender.Commit(zero);
  cases.push_back(Case("an enc of small order", 5, zero));
  sealed("a commitment to another content key", 6, [](Choices& c) { c.commitment.bytes[0] ^= 1; });
  sealed("a ciphertext under another key", 7, [](Choices& c) { Flip(&c.section_key); });
  sealed("padding that is not zero", 8, [](Choices& c) { Flip(&c.padded); });
  sealed("padding of version 2", 8, [](Choices& c) { c.padded[0] = 2; });
  sealed("a length that points outside", 8, [](Choices& c) { c.padded[3] = 0x10; });

  Json file = {{"comment",
                "DeliveredSignal messages in hex that must not open, each with the step "
                "of proto/ENVELOPE.md, Order of checks on opening, at which it stops. "
                "Header and meta are arbitrary bytes: begin at step 4, after sizes. All "
                "keys are fixed and published: never use them."}};
  file.update(sender.Keys());
  file["opens"] = Hex(good.SerializeAsString());
  file["refused"] = std::move(cases);
  return file;
}

}  // namespace schakel::vectors
