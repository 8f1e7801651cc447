#include "broker/merkle/proof_bundle.h"

#include <gtest/gtest.h>

#include "broker/base/limits.h"
#include "tests/unit/merkle/support.h"
#include "tests/unit/merkle/textbook.h"

namespace schakel::merkle {
namespace {

class ProofBundleTest : public testing::Test {
 protected:
  ProofBundleTest()
      : signer_(TestKey('p')),
        key_(VerifierKey::Create("zhz.example/schakel/1", signer_.public_key()).value()) {
    for (const auto& entry : textbook::MakeEntries(21)) {
      entries_.push_back(DigestOf(entry));
      tree_.Append(entries_.back());
      frontier_.Append(entries_.back());
    }
    checkpoint_ = {key_.name(), frontier_.Head()};
    bundle_.index = 9;
    bundle_.path = InclusionProof(9, 21, tree_.Nodes()).value();
    bundle_.checkpoint = SignCheckpoint(checkpoint_, signer_).value();
  }

  crypto::SigningKey signer_;
  VerifierKey key_;
  std::vector<Digest> entries_;
  MemoryTree tree_;
  Frontier frontier_;
  Checkpoint checkpoint_;
  ProofBundle bundle_;
};

TEST_F(ProofBundleTest, ReadsWhatItWritesAndHolds) {
  for (const std::optional<Bytes>& extra : {std::optional<Bytes>(), {Bytes("\x00\xff!", 3)}}) {
    bundle_.extra = extra;
    auto read = ParseProofBundle(EncodeProofBundle(bundle_));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(*read, bundle_);
    EXPECT_EQ(VerifyProofBundle(*read, entries_[9], key_).value(), checkpoint_);
  }
}

TEST_F(ProofBundleTest, HasTheSpecificationsLines) {
  bundle_.extra = "age-v1";
  std::string expected = "c2sp.org/tlog-proof@v1\nextra YWdlLXYx\nindex 9\n";
  for (const Digest& hash : bundle_.path) expected += Base64Encode(hash.view()) + "\n";
  EXPECT_EQ(EncodeProofBundle(bundle_), expected + "\n" + bundle_.checkpoint);
}

TEST_F(ProofBundleTest, ProvesATreeOfOneEntry) {
  Frontier one;
  one.Append(entries_[0]);
  const Checkpoint checkpoint{key_.name(), one.Head()};
  const ProofBundle bundle{{}, 0, {}, SignCheckpoint(checkpoint, signer_).value()};
  auto read = ParseProofBundle(EncodeProofBundle(bundle));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(VerifyProofBundle(*read, entries_[0], key_).value(), checkpoint);
}

TEST_F(ProofBundleTest, IsRefusedWithAnySingleByteChanged) {
  const std::string text = EncodeProofBundle(bundle_);
  for (size_t i = 0; i < text.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = text;
      changed[i] = static_cast<char>(value);
      if (changed == text) continue;
      auto read = ParseProofBundle(changed);
      ASSERT_FALSE(read.ok() && VerifyProofBundle(*read, entries_[9], key_).ok()) << changed;
    }
  }
}

TEST_F(ProofBundleTest, DoesNotProveAnotherEntryOrUnderAnotherKey) {
  for (size_t i = 0; i < entries_.size(); ++i) {
    EXPECT_EQ(VerifyProofBundle(bundle_, entries_[i], key_).ok(), i == 9);
  }
  const auto other = VerifierKey::Create(key_.name(), TestKey('q').public_key()).value();
  EXPECT_EQ(VerifyProofBundle(bundle_, entries_[9], other).error().reason, "SIGNATURE_MISSING");
}

TEST_F(ProofBundleTest, RefusesEveryOtherText) {
  const std::string hash = Base64Encode(Bytes(32, 'h')) + "\n";
  const std::string tail = "\n" + bundle_.checkpoint;
  const std::string first = "c2sp.org/tlog-proof@v1\n";
  ASSERT_TRUE(ParseProofBundle(first + "index 9\n" + hash + tail).ok());
  std::string too_many;
  for (size_t i = 0; i <= kPathHashesMax; ++i) too_many += hash;
  for (const std::string& text : {
           std::string(),
           first,
           first + "index 9",
           first + "index 9\n",
           first + "index 9\n" + hash,
           first + "index 9\n" + hash + "\n",
           "c2sp.org/tlog-proof@v2\nindex 9\n" + hash + tail,
           "c2sp.org/tlog-proof@v1\r\nindex 9\n" + hash + tail,
           first + hash + tail,
           first + "index 09\n" + hash + tail,
           first + "index\n" + hash + tail,
           first + "index -1\n" + hash + tail,
           first + "index 18446744073709551616\n" + tail,
           first + "extra \nindex 9\n" + hash + tail,
           first + "extra =\nindex 9\n" + hash + tail,
           first + "extra YQ\nindex 9\n" + hash + tail,
           first + "index 9\nextra YQ==\n" + hash + tail,
           first + "extra YQ==\nextra YQ==\nindex 9\n" + tail,
           first + "index 9\nAAAA\n" + tail,
           first + "index 9\n" + hash + "index 9\n" + tail,
           first + "index 9\n" + too_many + tail,
           first + "extra " + std::string(limits::kProofBundleBytesMax, 'A') + "\nindex 9\n" + tail,
       }) {
    auto read = ParseProofBundle(text);
    ASSERT_FALSE(read.ok()) << text.substr(0, 200);
    EXPECT_EQ(read.error().reason, "PROOF_MALFORMED");
  }
}

}  // namespace
}  // namespace schakel::merkle
