// From BSNs to pseudonyms with the help of any t custodians, none of whom learns anything.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "broker/base/ids.h"
#include "broker/crypto/key_document.h"
#include "broker/crypto/pseudonym.h"
#include "clients/sdk/connection.h"
#include "clients/sdk/key_set_verifier.h"
#include "schakel/v1/common.pb.h"
#include "schakel/v1/custodian.grpc.pb.h"

namespace schakel::sdk {

struct CustodianEndpoint {
  OrganisationId oin;
  std::shared_ptr<Connection> connection;
};

// The key document of a live epoch, known by its digest.
struct PinnedKeyDocument {
  uint32_t epoch = 0;
  Digest digest;
  bool operator==(const PinnedKeyDocument&) const = default;
};

// Pins of context and bundle must name the same documents: FAILED_PRECONDITION
// KEY_DOCUMENT_MISMATCH otherwise. Where the context has none the bundle's are taken, and the other
// way round; KEY_DOCUMENT_MISSING when neither has any.
Result<std::vector<PinnedKeyDocument>> AgreedKeyDocuments(
    std::span<const PinnedKeyDocument> context, std::span<const PinnedKeyDocument> bundle);

struct CustodianBudget {
  OrganisationId oin;
  Result<v1::GetBudgetResponse> budget;
};

// Thread-safe. BSNs are read from the caller's secret memory, blinded there, and kept nowhere.
class PseudonymClient {
 public:
  // `anchors` may be null: then the chains of the document's signatures are not checked (the pinned
  // digest says already which document it is).
  PseudonymClient(std::vector<CustodianEndpoint> custodians,
                  std::vector<PinnedKeyDocument> documents, std::string region,
                  const crypto::TrustAnchors* anchors);
  ~PseudonymClient();

  // One SubjectRef per BSN, in order, with a pair per live epoch. At most 256 BSNs a call.
  // A custodian that fails or answers wrongly is passed over for another one; when fewer than t
  // remain, the Error is the last one's and its message names each custodian with what it did.
  // Errors also: BSN_INVALID, KEY_DOCUMENT_INVALID, KEY_DOCUMENT_MISMATCH.
  Result<std::vector<v1::SubjectRef>> Compute(std::span<const std::string_view> bsns);
  Result<v1::SubjectRef> ComputeOne(std::string_view bsn);

  // What each custodian says of the caller's budget.
  std::vector<CustodianBudget> Budgets();
  // The verified key document of an epoch. It is fetched once.
  Result<std::shared_ptr<const crypto::KeyDocument>> Document(uint32_t epoch);

 private:
  struct State;
  Result<std::vector<Digest>> Evaluate(const crypto::PseudonymRequest& request,
                                       const crypto::KeyDocument& document);
  std::unique_ptr<State> state_;
};

// The same reference: as many pairs, and equal ones.
bool SameSubject(const v1::SubjectRef& a, const v1::SubjectRef& b);
// Epoch 0 and 32 random bytes: a subject without a pseudonym.
v1::SubjectRef UnlinkedSubject();
bool IsUnlinked(const v1::SubjectRef& subject);

}  // namespace schakel::sdk
