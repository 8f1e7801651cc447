// What is signed and hashed of statements (consents and objections). proto/ENVELOPE.md, Statements.
#pragma once

#include "broker/base/bytes.h"

namespace schakel::crypto {

inline constexpr size_t kEvidenceSaltBytes = 16;

// "schakel/v1/statement\n" || lp(statement bytes): the message of the Ed25519 signature.
Bytes StatementMessage(BytesView statement);
// "schakel/v1/withdrawal\n" || lp(withdrawal bytes)
Bytes WithdrawalMessage(BytesView withdrawal);

// H("schakel/v1/evidence\n" || salt16 || document). The recorder keeps salt and document.
// REQUIRES: salt of 16 bytes.
Digest EvidenceDigest(BytesView salt, BytesView document);

}  // namespace schakel::crypto
