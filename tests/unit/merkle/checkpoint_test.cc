#include "broker/merkle/checkpoint.h"

#include <gtest/gtest.h>

#include "broker/crypto/hash.h"
#include "tests/unit/merkle/support.h"

namespace schakel::merkle {
namespace {

constexpr char kOrigin[] = "zhz.example/schakel/1";

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest()
      : signer_(TestKey('c')),
        key_(VerifierKey::Create(kOrigin, signer_.public_key()).value()),
        checkpoint_{kOrigin, {70'000, crypto::Sha256("root")}},
        note_(SignCheckpoint(checkpoint_, signer_).value()) {}

  // The body, signed whatever it is.
  std::string Signed(const std::string& body) const {
    return SignNote(body, kOrigin, signer_).value();
  }

  crypto::SigningKey signer_;
  VerifierKey key_;
  Checkpoint checkpoint_;
  std::string note_;
};

TEST_F(CheckpointTest, OpensUnderItsKey) {
  EXPECT_EQ(OpenCheckpoint(note_, key_).value(), checkpoint_);
  EXPECT_EQ(OpenSoleCheckpoint(note_, key_).value(), checkpoint_);
  EXPECT_TRUE(note_.starts_with("zhz.example/schakel/1\n70000\n"));
}

TEST_F(CheckpointTest, ReadsTheSpecificationsBody) {
  auto body = ParseCheckpointBody(
      "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n");
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(body->origin, "example.com/behind-the-sofa");
  EXPECT_EQ(body->head.size, 20852163u);
  EXPECT_EQ(Base64Encode(body->head.root.view()), "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=");
}

TEST_F(CheckpointTest, RefusesEveryOtherBody) {
  const std::string root = Base64Encode(crypto::Sha256("root").view());
  const std::string empty = Base64Encode(RootOfEmpty().view());
  EXPECT_TRUE(OpenCheckpoint(Signed(std::string(kOrigin) + "\n0\n" + empty + "\n"), key_).ok());
  for (const std::string& rest : {
           "5\n" + root + "\nextension\n",
           "5\n" + root + "\n\n",
           "05\n" + root + "\n",
           "-5\n" + root + "\n",
           "+5\n" + root + "\n",
           " 5\n" + root + "\n",
           "5 \n" + root + "\n",
           "0x5\n" + root + "\n",
           "\n" + root + "\n",
           "18446744073709551616\n" + root + "\n",
           "0\n" + root + "\n",
           "5\n" + root + root + "\n",
           "5\n" + root.substr(0, 43) + "\n",
           "5\n" + root.substr(0, 40) + "\n",
           std::string("5\n\n"),
           std::string("5\n"),
           std::string(""),
       }) {
    auto opened = OpenCheckpoint(Signed(std::string(kOrigin) + "\n" + rest), key_);
    ASSERT_FALSE(opened.ok()) << rest;
    EXPECT_EQ(opened.error().reason, "CHECKPOINT_MALFORMED") << rest;
  }
  EXPECT_FALSE(ParseCheckpointBody("\n5\n" + root + "\n").ok());
  EXPECT_FALSE(ParseCheckpointBody("a b\n5\n" + root + "\n").ok());
  EXPECT_FALSE(ParseCheckpointBody("a\n5\n" + root).ok());
  EXPECT_FALSE(ParseCheckpointBody("").ok());
}

TEST_F(CheckpointTest, BelongsToItsOrigin) {
  const Checkpoint other{"zhz.example/schakel/2", checkpoint_.head};
  EXPECT_EQ(OpenCheckpoint(Signed(EncodeCheckpointBody(other)), key_).error().reason,
            "ORIGIN_MISMATCH");
  EXPECT_EQ(OpenCheckpoint(SignCheckpoint(other, signer_).value(), key_).error().reason,
            "SIGNATURE_MISSING");
  EXPECT_EQ(OpenCheckpoint(SignCheckpoint(checkpoint_, TestKey('d')).value(), key_).error().reason,
            "SIGNATURE_MISSING");
  EXPECT_EQ(SignCheckpoint({"two words", {}}, signer_).error().reason, "CHECKPOINT_MALFORMED");
}

TEST_F(CheckpointTest, MayCarryWitnessesUnlessItEndsAnExport) {
  const std::string witness = SignNote("x\n", "witness.example", TestKey('w')).value();
  const std::string both = note_ + witness.substr(witness.rfind("\n\n") + 2);
  EXPECT_EQ(OpenCheckpoint(both, key_).value(), checkpoint_);
  EXPECT_EQ(OpenSoleCheckpoint(both, key_).error().reason, "CHECKPOINT_MALFORMED");
  const std::string twice = note_ + note_.substr(note_.rfind("\n\n") + 2);
  EXPECT_TRUE(OpenCheckpoint(twice, key_).ok());
  EXPECT_FALSE(OpenSoleCheckpoint(twice, key_).ok());
}

TEST_F(CheckpointTest, IsRefusedWithAnySingleByteChanged) {
  for (size_t i = 0; i < note_.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = note_;
      changed[i] = static_cast<char>(value);
      if (changed == note_) continue;
      ASSERT_FALSE(OpenSoleCheckpoint(changed, key_).ok()) << i << " " << value;
    }
  }
}

}  // namespace
}  // namespace schakel::merkle
