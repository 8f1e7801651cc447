// What a custodian is there for: its share, bound to the key document and to its own certificate.
#pragma once

#include <span>

#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/crypto/oprf.h"
#include "broker/custodian/share_file.h"
#include "broker/custodian/signed_document.h"

namespace schakel::custodian {

// A holder that exists fits: share, document and OIN belong together. Thread-safe.
class KeyHolder {
 public:
  // `own` is the OIN of the certificate that the custodian answers with. Errors: KEY_SHARE_INVALID
  // when the share was dealt with another document, has not the public share that the document and
  // its commitments promise, or is not the share of `own`.
  static Result<KeyHolder> Create(KeyShareFile share, SignedDocument document,
                                  const OrganisationId& own);

  uint32_t epoch() const { return document_.document.epoch(); }
  uint8_t x() const { return share_.share.x; }
  const SignedDocument& document() const { return document_; }

  // One proof for all elements. REQUIRES: 1 .. limits::kEvaluateBatchMax elements, and that they
  // were charged for. Errors: those of BlindEvaluate.
  Result<crypto::Evaluation> Evaluate(std::span<const crypto::Point> blinded) const;

 private:
  KeyHolder(KeyShareFile share, SignedDocument document)
      : share_(std::move(share)), document_(std::move(document)) {}

  KeyShareFile share_;
  SignedDocument document_;
};

}  // namespace schakel::custodian
