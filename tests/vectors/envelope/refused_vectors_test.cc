// A plain reader that goes through the steps one by one meets each case of refused-1.json at its
// step.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "broker/crypto/envelope_format.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/seal.h"
#include "broker/crypto/sign.h"
#include "broker/merkle/batch_tree.h"
#include "schakel/v1/inbox.pb.h"
#include "tests/support/paths.h"
#include "tests/vectors/envelope/envelope_vectors.h"
#include "tests/vectors/envelope/fixed.h"

namespace schakel::vectors {
namespace {

constexpr int kOpened = 0;

std::string FileOnDisk() {
  std::ifstream in(checkout::SourcePath("tests/vectors/envelope/refused-1.json"), std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

struct Reader {
  explicit Reader(const nlohmann::json& file)
      : sender(Oin(file["sender_oin"])),
        self(Oin(file["reader_oin"])),
        sender_key(*crypto::Ed25519PublicKey::From(Raw(file["sender_signing_public_key"]))),
        key_set(*Digest::From(Raw(file["reader_key_set_digest"]))),
        key(crypto::X25519KeyPair::FromPrivate(
                crypto::SecretBytes::CopyOf(Raw(file["reader_sealing_private_key"])))
                .value()) {}

  // The step at which it stops, or kOpened.
  int Open(const Bytes& delivered) const {
    v1::DeliveredSignal signal;
    EXPECT_TRUE(signal.ParseFromString(delivered));
    const v1::Section& section = signal.sections(0);
    const v1::Wrap& wrap = section.wraps(0);
    if (section.ciphertext().size() != 1024 + 16) return 1;
    if (!SignatureHolds(signal)) return 4;
    const auto opened =
        crypto::OpenSection({crypto::HeaderDigest(signal.header()), sender, self, key_set,
                             *SectionId::From(section.sid()), section.meta(), section.commitment(),
                             section.ciphertext(), wrap.enc(), wrap.wrapped()},
                            key)
            .value();
    if (std::holds_alternative<crypto::SectionContent>(opened)) return kOpened;
    return static_cast<int>(std::get<crypto::OpenFault>(opened));
  }

  bool SignatureHolds(const v1::DeliveredSignal& signal) const {
    const v1::Section& section = signal.sections(0);
    const v1::Wrap& wrap = section.wraps(0);
    const Digest hd = crypto::HeaderDigest(signal.header());
    const Digest sd = crypto::SectionDigest({hd, *SectionId::From(section.sid()), section.meta(),
                                             *Digest::From(section.commitment()),
                                             crypto::Sha256(section.ciphertext())});
    const Digest own[] = {sd, crypto::WrapDigest(sd, self, wrap.enc(), wrap.wrapped())};
    std::vector<Digest> values;
    for (const std::string& value : signal.values()) values.push_back(*Digest::From(value));
    if (crypto::CheckSomeValues(values, own) != crypto::ValuesFault::kNone) return false;
    merkle::Path path;
    for (const std::string& hash : signal.proof().path()) path.push_back(*Digest::From(hash));
    const v1::BatchProof& proof = signal.proof();
    const auto root =
        merkle::BatchRoot(crypto::EnvelopeDigest(hd, values), proof.index(), proof.count(), path);
    return root.ok() &&
           crypto::VerifyEd25519(sender_key, crypto::BatchMessage(proof.count(), *root),
                                 proof.signature());
  }

  OrganisationId sender;
  OrganisationId self;
  crypto::Ed25519PublicKey sender_key;
  Digest key_set;
  crypto::X25519KeyPair key;
};

TEST(RefusedVectors, AreWhatTheGeneratorMakes) {
  EXPECT_EQ(FileOnDisk(), FileText(RefusedVectors()));
}

TEST(RefusedVectors, StopEachAtItsStep) {
  const auto file = nlohmann::json::parse(FileOnDisk());
  const Reader reader(file);
  EXPECT_EQ(reader.Open(Raw(file["opens"])), kOpened);
  EXPECT_EQ(file["refused"].size(), 27u);
  for (const auto& c : file["refused"]) {
    EXPECT_EQ(reader.Open(Raw(c["delivered"])), c["step"].get<int>()) << c["name"];
  }
}

}  // namespace
}  // namespace schakel::vectors
