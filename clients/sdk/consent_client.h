// ConsentService: statements made, signed, recorded, withdrawn, listed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/ids.h"
#include "clients/sdk/connection.h"
#include "clients/sdk/key_store.h"
#include "schakel/v1/consent.grpc.pb.h"

namespace schakel::sdk {

// Who records.
struct Recorder {
  OrganisationId oin;
  std::string region;
  std::string actor;
};

// The bytes that were signed, and the signature. Keep them: a retry sends the same.
struct SignedStatement {
  StatementId id;
  v1::RecordStatementRequest request;
};
struct SignedWithdrawal {
  v1::WithdrawStatementRequest request;
};

// Fills region, recorder, actor, key set, and the id where it is empty; serialises and signs.
// FIELD_INVALID when a required field is missing: kind, a linked subject, times, grantor, identity
// check.
Result<SignedStatement> SignStatement(v1::Statement statement, const Recorder& recorder,
                                      const OwnKeySet& keys, Millis now);
Result<SignedWithdrawal> SignWithdrawal(const StatementId& statement, const Recorder& recorder,
                                        const OwnKeySet& keys, Millis now);

// A document that a person signed: its digest for the statement, and the salt that the recorder
// keeps with the document.
struct Evidence {
  Bytes salt;
  Digest digest;
};
Evidence MakeEvidence(BytesView document);

struct WithdrawalOutcome {
  v1::LogReceipt receipt;
  std::vector<v1::EarlierDelivery> earlier_deliveries;  // of all pages
};

// Thread-safe.
class ConsentClient {
 public:
  explicit ConsentClient(std::shared_ptr<Connection> connection);

  Result<v1::RecordStatementResponse> Record(const SignedStatement& statement);
  // Blocks until no byte that relies on it can still leave; then reads every page of earlier
  // deliveries.
  Result<WithdrawalOutcome> Withdraw(const SignedWithdrawal& withdrawal);
  // nullopt: all that the caller recorded. All pages.
  Result<std::vector<v1::StatementSummary>> List(const std::optional<v1::SubjectRef>& subject);
  // request_id is filled when empty.
  Result<v1::CheckConsentResponse> Check(v1::CheckConsentRequest request);

 private:
  std::shared_ptr<Connection> connection_;
  std::unique_ptr<v1::ConsentService::Stub> stub_;
};

}  // namespace schakel::sdk
