#include "broker/crypto/statement_format.h"

#include <gtest/gtest.h>

#include "broker/crypto/sign.h"
#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

TEST(StatementFormat, GivesTheEvidenceDigestOfTheVectors) {
  const auto v = LoadVectors("schakel/formats-1.json")["evidence"];
  EXPECT_EQ(EvidenceDigest(Hex(v["salt"]), Hex(v["document"])), HexDigest(v["digest"]));
}

TEST(StatementFormat, EvidenceDigestChangesWithSaltAndDocument) {
  const Digest digest = EvidenceDigest(Bytes(16, 's'), "document");
  EXPECT_NE(EvidenceDigest(Bytes(16, 't'), "document"), digest);
  EXPECT_NE(EvidenceDigest(Bytes(16, 's'), "documents"), digest);
  EXPECT_DEATH(EvidenceDigest(Bytes(15, 's'), "sdocument"), "16 bytes");
}

TEST(StatementFormat, LabelsAndMeasuresWhatIsSigned) {
  EXPECT_EQ(StatementMessage("abc"), BytesView("schakel/v1/statement\n\0\0\0\3abc", 28));
  EXPECT_EQ(WithdrawalMessage("abc"), BytesView("schakel/v1/withdrawal\n\0\0\0\3abc", 29));
}

TEST(StatementFormat, ASignatureOfOneKindIsNoneOfTheOther) {
  const SigningKey key = SigningKey::Generate();
  const Bytes signature = key.Sign(StatementMessage("bytes"));
  EXPECT_TRUE(VerifyEd25519(key.public_key(), StatementMessage("bytes"), signature));
  EXPECT_FALSE(VerifyEd25519(key.public_key(), WithdrawalMessage("bytes"), signature));
}

}  // namespace
}  // namespace schakel::crypto
