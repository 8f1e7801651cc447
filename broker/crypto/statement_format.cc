#include "broker/crypto/statement_format.h"

#include "broker/crypto/hash.h"

namespace schakel::crypto {
namespace {

constexpr BytesView kStatementLabel = "schakel/v1/statement\n";
constexpr BytesView kWithdrawalLabel = "schakel/v1/withdrawal\n";
constexpr BytesView kEvidenceLabel = "schakel/v1/evidence\n";

Bytes Labelled(BytesView label, BytesView bytes) {
  ByteWriter out(label.size() + 4 + bytes.size());
  out.Raw(label).Lp(bytes);
  return out.Take();
}

}  // namespace

Bytes StatementMessage(BytesView statement) { return Labelled(kStatementLabel, statement); }

Bytes WithdrawalMessage(BytesView withdrawal) { return Labelled(kWithdrawalLabel, withdrawal); }

Digest EvidenceDigest(BytesView salt, BytesView document) {
  SCHAKEL_CHECK(salt.size() == kEvidenceSaltBytes, "the salt of evidence has 16 bytes");
  return Sha256Hasher().Raw(kEvidenceLabel).Raw(salt).Raw(document).Finish();
}

}  // namespace schakel::crypto
