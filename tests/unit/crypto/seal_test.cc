#include "broker/crypto/seal.h"

#include <gtest/gtest.h>

#include "broker/crypto/aead.h"
#include "broker/crypto/envelope_format.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/hpke_internal.h"
#include "broker/crypto/random.h"
#include "broker/crypto/seal_internal.h"
#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

using Opened = std::variant<SectionContent, OpenFault>;

OrganisationId OinOf(const char* oin) { return OrganisationId::From(oin).value(); }

// One sealed section for two recipients.
struct Sealed {
  const OrganisationId sender = OinOf("00000099000000001000");
  const X25519KeyPair first_key = X25519KeyPair::Generate();
  const X25519KeyPair second_key = X25519KeyPair::Generate();
  const std::vector<SealRecipient> recipients = {
      {OinOf("00000099000000002000"), Sha256("first key set"), first_key.public_key()},
      {OinOf("00000099000000002001"), Sha256("second key set"), second_key.public_key()}};
  const Digest header_digest = HeaderDigest("header");
  const SectionId sid = SectionId::From(RandomBytes(16)).value();
  const Bytes meta = "meta";
  SealedSection section = SealSection({header_digest, sender, sid, meta, "application/json",
                                       "finances/1", "{\"months\":3}", recipients})
                              .value();

  SectionToOpen For(size_t who) const {
    const SealedWrap& wrap = section.wraps[who];
    return {header_digest,
            sender,
            wrap.recipient,
            wrap.recipient_key_set,
            sid,
            section.meta,
            section.commitment.view(),
            section.ciphertext,
            wrap.enc,
            wrap.wrapped};
  }
};

OpenFault FaultOf(const SectionToOpen& section, const X25519KeyPair& key) {
  const auto opened = OpenSection(section, key);
  EXPECT_TRUE(opened.ok());
  if (std::holds_alternative<SectionContent>(*opened)) {
    ADD_FAILURE() << "it opened";
    return OpenFault{};
  }
  return std::get<OpenFault>(*opened);
}

TEST(Seal, GivesEveryCiphertextAndWrapOfTheVectors) {
  const auto file = LoadVectors("schakel/formats-1.json");
  for (const auto& e : file["envelopes"]) {
    for (const auto& s : e["sections"]) {
      std::vector<SealRecipient> recipients;
      for (const auto& w : s["wraps"]) {
        for (const auto& r : file["recipients"]) {
          if (r["oin"] != w["recipient_oin"]) continue;
          recipients.push_back({Oin(r["oin"]), HexDigest(r["key_set_digest"]),
                                X25519PublicKey::From(Hex(r["public_key"])).value()});
        }
      }
      ASSERT_EQ(recipients.size(), s["wraps"].size());
      const std::string media_type = s["media_type"], schema_id = s["schema_id"],
                        content = s["content"];
      const Bytes meta = Hex(s["meta"]);
      size_t next = 0;
      const SealedSection sealed =
          seal_internal::SealSectionWith(
              {HexDigest(e["hd"]), Oin(file["sender_oin"]), *SectionId::From(Hex(s["sid"])), meta,
               media_type, schema_id, content, recipients},
              HexSecret(s["cek"]),
              [&] {
                return hpke_internal::DeriveKeyPair(
                    Hex(s["wraps"].at(next++)["hpke_ephemeral_ikm"]));
              })
              .value();
      EXPECT_EQ(sealed.commitment, HexDigest(s["com"]));
      EXPECT_EQ(HexEncode(sealed.ciphertext), s["ciphertext"]);
      EXPECT_EQ(sealed.section_digest, HexDigest(s["sd"]));
      for (size_t i = 0; i < sealed.wraps.size(); ++i) {
        EXPECT_EQ(HexEncode(sealed.wraps[i].enc), s["wraps"][i]["enc"]);
        EXPECT_EQ(HexEncode(sealed.wraps[i].wrapped), s["wraps"][i]["wrapped"]);
        EXPECT_EQ(sealed.wraps[i].wrap_digest, HexDigest(s["wraps"][i]["wd"]));
      }
    }
  }
}

TEST(Seal, OpensEverySectionOfTheVectorsForEveryRecipient) {
  const auto file = LoadVectors("schakel/formats-1.json");
  size_t opened_count = 0;
  for (const auto& e : file["envelopes"]) {
    for (const auto& s : e["sections"]) {
      for (const auto& w : s["wraps"]) {
        for (const auto& r : file["recipients"]) {
          const X25519KeyPair key = X25519KeyPair::FromPrivate(HexSecret(r["private_key"])).value();
          EXPECT_EQ(HexEncode(key.public_key().view()), r["public_key"]);
          const Bytes meta = Hex(s["meta"]), com = Hex(s["com"]), ct = Hex(s["ciphertext"]),
                      enc = Hex(w["enc"]), wrapped = Hex(w["wrapped"]);
          const SectionToOpen section{HexDigest(e["hd"]),
                                      Oin(file["sender_oin"]),
                                      Oin(w["recipient_oin"]),
                                      HexDigest(w["recipient_key_set_digest"]),
                                      *SectionId::From(Hex(s["sid"])),
                                      meta,
                                      com,
                                      ct,
                                      enc,
                                      wrapped};
          if (r["oin"] != w["recipient_oin"]) {
            EXPECT_EQ(FaultOf(section, key), OpenFault::kWrap);
            continue;
          }
          const Opened opened = OpenSection(section, key).value();
          ASSERT_TRUE(std::holds_alternative<SectionContent>(opened));
          const SectionContent& content = std::get<SectionContent>(opened);
          EXPECT_EQ(content.media_type, s["media_type"]);
          EXPECT_EQ(content.schema_id, s["schema_id"]);
          EXPECT_EQ(content.content.ExposeSecret(), s["content"].get<std::string>());
          ++opened_count;
        }
      }
    }
  }
  EXPECT_EQ(opened_count, 9u);  // three envelopes, one and two wraps in each
}

TEST(Seal, OpensForEachRecipientAndNobodyElse) {
  const Sealed s;
  for (const auto* key : {&s.first_key, &s.second_key}) {
    const size_t own = key == &s.first_key ? 0 : 1;
    const Opened opened = OpenSection(s.For(own), *key).value();
    ASSERT_TRUE(std::holds_alternative<SectionContent>(opened));
    EXPECT_EQ(std::get<SectionContent>(opened).content.ExposeSecret(), "{\"months\":3}");
    EXPECT_EQ(FaultOf(s.For(1 - own), *key), OpenFault::kWrap);
  }
  EXPECT_EQ(FaultOf(s.For(0), X25519KeyPair::Generate()), OpenFault::kWrap);
}

TEST(Seal, UsesAFreshContentKeyEachTime) {
  const Sealed first;
  const Sealed second;
  EXPECT_NE(first.section.commitment, second.section.commitment);
  EXPECT_NE(first.section.ciphertext, second.section.ciphertext);
}

TEST(Seal, OpensNothingWithAFlippedBitInAnyPart) {
  const Sealed s;
  const SectionToOpen good = s.For(0);
  const auto refuses = [&](BytesView SectionToOpen::*part) {
    const Bytes original(good.*part);
    for (size_t bit = 0; bit < original.size() * 8; ++bit) {
      SectionToOpen section = good;
      const Bytes flipped = FlipBit(original, bit);
      section.*part = flipped;
      EXPECT_EQ(FaultOf(section, s.first_key), OpenFault::kWrap) << bit;
    }
  };
  refuses(&SectionToOpen::enc);
  refuses(&SectionToOpen::wrapped);
  refuses(&SectionToOpen::commitment);
  refuses(&SectionToOpen::meta);
}

TEST(Seal, OpensNothingWithAFlippedBitInTheCiphertext) {
  // The wrap is bound to H(ct), so that the content key is never even unwrapped. Every 5th bit
  // keeps this to seconds; the distance is odd, so that all positions within a byte come.
  const Sealed s;
  const SectionToOpen good = s.For(0);
  for (size_t bit = 0; bit < good.ciphertext.size() * 8; bit += 5) {
    SectionToOpen section = good;
    const Bytes flipped = FlipBit(Bytes(good.ciphertext), bit);
    section.ciphertext = flipped;
    EXPECT_EQ(FaultOf(section, s.first_key), OpenFault::kWrap) << bit;
  }
}

TEST(Seal, OpensNothingUnderOtherNames) {
  const Sealed s;
  const SectionToOpen good = s.For(0);
  for (size_t bit = 0; bit < 256; ++bit) {
    SectionToOpen section = good;
    section.header_digest.bytes[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    EXPECT_EQ(FaultOf(section, s.first_key), OpenFault::kWrap);
    section = good;
    section.recipient_key_set.bytes[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    EXPECT_EQ(FaultOf(section, s.first_key), OpenFault::kWrap);
  }
  for (size_t bit = 0; bit < 128; ++bit) {
    SectionToOpen section = good;
    section.sid.bytes[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    EXPECT_EQ(FaultOf(section, s.first_key), OpenFault::kWrap);
  }
  SectionToOpen section = good;
  section.sender = OinOf("00000099000000001001");
  EXPECT_EQ(FaultOf(section, s.first_key), OpenFault::kWrap);
  section = good;
  section.recipient = OinOf("00000099000000002001");
  EXPECT_EQ(FaultOf(section, s.first_key), OpenFault::kWrap);
}

TEST(Seal, RefusesPartsOfAnotherShape) {
  const Sealed s;
  const SectionToOpen good = s.For(0);
  for (auto part : {&SectionToOpen::enc, &SectionToOpen::wrapped, &SectionToOpen::commitment,
                    &SectionToOpen::ciphertext}) {
    const Bytes longer = Bytes(good.*part) + '\0';
    for (BytesView other : {BytesView(), (good.*part).substr(1), BytesView(longer)}) {
      SectionToOpen section = good;
      section.*part = other;
      EXPECT_EQ(FaultOf(section, s.first_key), OpenFault::kShape);
    }
  }
}

TEST(Seal, RefusesAContentLargerThanTheLargestSize) {
  const Sealed s;
  const Bytes content(65536, 'x');
  const auto sealed = SealSection(
      {s.header_digest, s.sender, s.sid, s.meta, "text/plain", "note/1", content, s.recipients});
  ASSERT_FALSE(sealed.ok());
  EXPECT_EQ(sealed.error().reason, "TOO_LARGE");
}

TEST(Seal, RefusesARecipientsKeyOfSmallOrder) {
  const Sealed s;
  const std::vector<SealRecipient> bad = {{s.sender, Digest(), X25519PublicKey()}};
  const auto sealed =
      SealSection({s.header_digest, s.sender, s.sid, s.meta, "text/plain", "note/1", "text", bad});
  ASSERT_FALSE(sealed.ok());
  EXPECT_EQ(sealed.error().reason, "KEY_SET_INVALID");
}

// A sender that breaks one rule and makes everything around it fit, as only a sender can: the wrap
// opens, and the step that is meant to notice it does.
struct Forger {
  Sealed base;
  SecretBytes content_key = RandomSecret(kContentKeyBytes);
  SectionKeys keys = DeriveSectionKeys(content_key, base.header_digest, base.sid);

  Bytes Encrypt(BytesView padded) const {
    return SealAes256Gcm(keys.key, Bytes(12, '\0'),
                         SectionAad(base.header_digest, base.sid, base.meta), padded)
        .value();
  }

  OpenFault FaultWith(const Digest& commitment, const Bytes& ciphertext) const {
    const Digest sd =
        SectionDigest({base.header_digest, base.sid, base.meta, commitment, Sha256(ciphertext)});
    const SealRecipient& to = base.recipients[0];
    const HpkeSealed wrap =
        SealBase(to.sealing_key, WrapInfo(), WrapAad({base.sender, to.oin, to.key_set}, sd),
                 content_key.ExposeSecret())
            .value();
    return FaultOf({base.header_digest, base.sender, to.oin, to.key_set, base.sid, base.meta,
                    commitment.view(), ciphertext, wrap.enc, wrap.ciphertext},
                   base.first_key);
  }
};

TEST(Seal, NoticesACommitmentToAnotherContentKey) {
  const Forger forger;
  const SecretBytes padded = PadPlaintext("text/plain", "note/1", "text").value();
  EXPECT_EQ(forger.FaultWith(Sha256("another"), forger.Encrypt(padded.ExposeSecret())),
            OpenFault::kCommitment);
}

TEST(Seal, NoticesACiphertextUnderAnotherKey) {
  const Forger forger;
  EXPECT_EQ(forger.FaultWith(forger.keys.commitment, forger.base.section.ciphertext),
            OpenFault::kCiphertext);
}

TEST(Seal, NoticesPaddingThatIsNotZero) {
  const Forger forger;
  const SecretBytes padded = PadPlaintext("text/plain", "note/1", "text").value();
  Bytes wrong(padded.ExposeSecret());
  wrong.back() = 1;
  EXPECT_EQ(forger.FaultWith(forger.keys.commitment, forger.Encrypt(wrong)), OpenFault::kPadding);
}

}  // namespace
}  // namespace schakel::crypto
