#include "broker/crypto/key_set.h"
#include "broker/crypto/statement_format.h"
#include "schakel/v1/consent.pb.h"
#include "tests/vectors/envelope/envelope_vectors.h"
#include "tests/vectors/envelope/fixed.h"

namespace schakel::vectors {
namespace {

constexpr const char* kDocument = "signed form, scanned";

v1::Statement Consent(const Bytes& key_set_digest, const Digest& evidence) {
  v1::Statement statement;
  statement.set_statement_id(FixedUuid("statement id"));
  statement.set_region(kRegion);
  statement.set_kind(v1::STATEMENT_KIND_CONSENT);
  v1::SubjectRefPair* pair = statement.mutable_subject()->add_pairs();
  pair->set_epoch(1);
  pair->set_value(Fixed("pseudonym of the subject", 32));
  statement.mutable_sender()->set_sector("housing");
  statement.mutable_recipient()->mutable_function()->set_function("neighbourhood-team");
  statement.mutable_recipient()->mutable_function()->set_area("dordrecht");
  statement.set_category("daily-living");
  statement.set_purpose("coordinate-care");
  statement.set_not_before_ms(kCreatedMs);
  statement.set_not_after_ms(kCreatedMs + 365 * kDayMs);
  statement.set_grantor(v1::GRANTOR_SUBJECT);
  statement.set_identity_check(v1::IDENTITY_CHECK_DOCUMENT);
  statement.set_form_version("2026-1");
  statement.set_language("nl");
  statement.set_evidence_digest(evidence.str());
  statement.set_recorder(kSenderOin);
  statement.set_actor("user-17");
  statement.set_key_set_digest(key_set_digest);
  return statement;
}

v1::Withdrawal WithdrawalOf(const v1::Statement& statement) {
  v1::Withdrawal withdrawal;
  withdrawal.set_withdrawal_id(FixedUuid("withdrawal id"));
  withdrawal.set_statement_id(statement.statement_id());
  withdrawal.set_region(statement.region());
  withdrawal.set_time_ms(kCreatedMs + 30 * kDayMs);
  withdrawal.set_recorder(statement.recorder());
  withdrawal.set_actor(statement.actor());
  withdrawal.set_key_set_digest(statement.key_set_digest());
  return withdrawal;
}

}  // namespace

nlohmann::ordered_json StatementVectors() {
  const crypto::SigningKey key = FixedSigningKey(std::string("signing key of ") + kSenderOin);
  const Bytes salt = Fixed("evidence salt", 16);
  const Digest evidence = crypto::EvidenceDigest(salt, kDocument);
  const v1::Statement statement = Consent(Fixed("key set of the recorder", 32), evidence);
  const Bytes statement_bytes = statement.SerializeAsString();
  const Bytes withdrawal_bytes = WithdrawalOf(statement).SerializeAsString();
  const Bytes statement_message = crypto::StatementMessage(statement_bytes);
  const Bytes withdrawal_message = crypto::WithdrawalMessage(withdrawal_bytes);
  return {
      {"comment",
       "A consent and its withdrawal as proto/ENVELOPE.md lays down; bytes in hex, the document is "
       "text. All keys and random values are fixed and published: never use them."},
      {"signing_key_seed", Hex(key.seed())},
      {"signing_public_key", Hex(key.public_key())},
      {"evidence", {{"salt", Hex(salt)}, {"document", kDocument}, {"digest", Hex(evidence)}}},
      {"statement",
       {{"bytes", Hex(statement_bytes)},
        {"message", Hex(statement_message)},
        {"signature", Hex(key.Sign(statement_message))}}},
      {"withdrawal",
       {{"bytes", Hex(withdrawal_bytes)},
        {"message", Hex(withdrawal_message)},
        {"signature", Hex(key.Sign(withdrawal_message))}}},
  };
}

}  // namespace schakel::vectors
