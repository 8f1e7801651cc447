// The files are what the generator makes, and what they say holds for a reader that starts from the
// Envelope message alone.
#include "tests/vectors/envelope/envelope_vectors.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "broker/crypto/envelope_format.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/key_set.h"
#include "broker/crypto/seal.h"
#include "broker/crypto/sign.h"
#include "broker/crypto/statement_format.h"
#include "broker/merkle/batch_tree.h"
#include "schakel/v1/consent.pb.h"
#include "schakel/v1/envelope.pb.h"
#include "tests/support/paths.h"
#include "tests/vectors/envelope/fixed.h"

namespace schakel::vectors {
namespace {

std::string ReadVectorFile(const std::string& name) {
  std::ifstream in(checkout::SourcePath("tests/vectors/envelope/") + name, std::ios::binary);
  EXPECT_TRUE(in.good()) << name;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

nlohmann::json Vectors(const std::string& name) {
  return nlohmann::json::parse(ReadVectorFile(name));
}

Digest RawDigest(const nlohmann::json& field) { return Digest::From(Raw(field)).value(); }

v1::Envelope EnvelopeOf(const nlohmann::json& file) {
  v1::Envelope envelope;
  EXPECT_TRUE(envelope.ParseFromString(Raw(file["envelope"])));
  return envelope;
}

// All sd, all wd and rt, from the message.
std::vector<Digest> KnownValues(const v1::Envelope& envelope) {
  const Digest hd = crypto::HeaderDigest(envelope.header());
  std::vector<Digest> known = {crypto::RoutingDigest(hd, envelope.routing())};
  for (const v1::Section& section : envelope.sections()) {
    const Digest sd = crypto::SectionDigest(
        {hd, SectionId::From(section.sid()).value(), section.meta(),
         Digest::From(section.commitment()).value(), crypto::Sha256(section.ciphertext())});
    known.push_back(sd);
    for (const v1::Wrap& wrap : section.wraps()) {
      known.push_back(crypto::WrapDigest(sd, Oin(wrap.recipient()), wrap.enc(), wrap.wrapped()));
    }
  }
  return known;
}

TEST(EnvelopeVectors, AreWhatTheGeneratorMakes) {
  EXPECT_EQ(ReadVectorFile("envelope-1.json"), FileText(EnvelopeVectors()));
  EXPECT_EQ(ReadVectorFile("statement-1.json"), FileText(StatementVectors()));
}

TEST(EnvelopeVectors, HoldTwoSubjectsThreeSectionsAndTwoRecipients) {
  const v1::Envelope envelope = EnvelopeOf(Vectors("envelope-1.json"));
  v1::Header header;
  v1::Routing routing;
  ASSERT_TRUE(header.ParseFromString(envelope.header()));
  ASSERT_TRUE(routing.ParseFromString(envelope.routing()));
  EXPECT_EQ(header.sender(), kSenderOin);
  EXPECT_EQ(routing.subjects_size(), 2);
  EXPECT_EQ(routing.recipients_size(), 2);
  ASSERT_EQ(envelope.sections_size(), 3);
  for (int i = 1; i < envelope.sections_size(); ++i) {
    EXPECT_LT(envelope.sections(i - 1).sid(), envelope.sections(i).sid());
  }
}

TEST(EnvelopeVectors, VerifyFromTheMessageUpToTheSignature) {
  const auto file = Vectors("envelope-1.json");
  const v1::Envelope envelope = EnvelopeOf(file);
  const Digest hd = crypto::HeaderDigest(envelope.header());
  EXPECT_EQ(hd, RawDigest(file["hd"]));
  std::vector<Digest> values;
  for (const std::string& value : envelope.values()) values.push_back(*Digest::From(value));
  EXPECT_EQ(crypto::CheckAllValues(values, KnownValues(envelope)), crypto::ValuesFault::kNone);
  const Digest digest = crypto::EnvelopeDigest(hd, values);
  EXPECT_EQ(digest, RawDigest(file["batch"]["envelope_digest"]));

  merkle::Path path;
  for (const std::string& hash : envelope.proof().path()) path.push_back(*Digest::From(hash));
  const Digest root =
      merkle::BatchRoot(digest, envelope.proof().index(), envelope.proof().count(), path).value();
  EXPECT_EQ(root, RawDigest(file["batch"]["root"]));
  const crypto::KeySet key_set = crypto::ParseKeySet(Raw(file["sender"]["key_set"])).value();
  EXPECT_TRUE(crypto::VerifyEd25519(key_set.signing_key,
                                    crypto::BatchMessage(envelope.proof().count(), root),
                                    envelope.proof().signature()));
}

TEST(EnvelopeVectors, OpenForEachRecipientItsOwnSectionsOnly) {
  const auto file = Vectors("envelope-1.json");
  const v1::Envelope envelope = EnvelopeOf(file);
  const Digest hd = crypto::HeaderDigest(envelope.header());
  std::vector<std::string> opened;
  for (const auto& recipient : file["recipients"]) {
    const auto key = crypto::X25519KeyPair::FromPrivate(
                         crypto::SecretBytes::CopyOf(Raw(recipient["sealing_private_key"])))
                         .value();
    const Digest key_set = crypto::KeySetDigest(Raw(recipient["key_set"]));
    EXPECT_EQ(key_set, RawDigest(recipient["key_set_digest"]));
    EXPECT_TRUE(
        crypto::VerifyNewKeySignature(crypto::ParseKeySet(Raw(recipient["key_set"])).value(),
                                      Raw(recipient["new_key_signature"])));
    for (int i = 0; i < envelope.sections_size(); ++i) {
      const v1::Section& section = envelope.sections(i);
      for (const v1::Wrap& wrap : section.wraps()) {
        const bool own = wrap.recipient() == recipient["oin"];
        const auto result = crypto::OpenSection({hd, Oin(kSenderOin), Oin(wrap.recipient()),
                                                 *Digest::From(wrap.recipient_key_set_digest()),
                                                 *SectionId::From(section.sid()), section.meta(),
                                                 section.commitment(), section.ciphertext(),
                                                 wrap.enc(), wrap.wrapped()},
                                                key)
                                .value();
        ASSERT_EQ(std::holds_alternative<crypto::SectionContent>(result), own);
        if (!own) continue;
        EXPECT_EQ(wrap.recipient_key_set_digest(), key_set.str());
        const auto& content = std::get<crypto::SectionContent>(result);
        EXPECT_EQ(content.content.ExposeSecret(),
                  file["sections"][i]["content"].get<std::string>());
        opened.push_back(wrap.recipient().substr(16) + " " + content.schema_id);
      }
    }
  }
  std::sort(opened.begin(), opened.end());
  EXPECT_EQ(opened, (std::vector<std::string>{"2000 finances/1", "2000 identity-bsn/1",
                                              "2001 finances/1", "2001 housing/1"}));
}

TEST(StatementVectors, VerifyUnderTheirSignaturesAndTheEvidence) {
  const auto file = Vectors("statement-1.json");
  const auto key = crypto::Ed25519PublicKey::From(Raw(file["signing_public_key"])).value();
  const Bytes statement_bytes = Raw(file["statement"]["bytes"]);
  const Bytes withdrawal_bytes = Raw(file["withdrawal"]["bytes"]);
  EXPECT_TRUE(crypto::VerifyEd25519(key, crypto::StatementMessage(statement_bytes),
                                    Raw(file["statement"]["signature"])));
  EXPECT_TRUE(crypto::VerifyEd25519(key, crypto::WithdrawalMessage(withdrawal_bytes),
                                    Raw(file["withdrawal"]["signature"])));
  v1::Statement statement;
  v1::Withdrawal withdrawal;
  ASSERT_TRUE(statement.ParseFromString(statement_bytes));
  ASSERT_TRUE(withdrawal.ParseFromString(withdrawal_bytes));
  EXPECT_EQ(withdrawal.statement_id(), statement.statement_id());
  EXPECT_EQ(statement.evidence_digest(),
            crypto::EvidenceDigest(Raw(file["evidence"]["salt"]),
                                   file["evidence"]["document"].get<std::string>())
                .view());
}

}  // namespace
}  // namespace schakel::vectors
