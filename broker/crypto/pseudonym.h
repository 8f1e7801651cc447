// From a BSN to its pseudonym, the client's side: blind, ask t custodians, check, combine,
// finalise.
//   input = "schakel/v1/bsn\n" || 9 ASCII digits; value = Finalize(...)[0..32)
// SOURCE: RFC 9497 (mode VOPRF); proto/ENVELOPE.md, Pseudonyms.
// All of it runs at the client: the reasons of its errors never cross the wire.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/ids.h"
#include "broker/base/limits.h"
#include "broker/base/result.h"
#include "broker/crypto/key_document.h"
#include "broker/crypto/oprf.h"
#include "broker/crypto/secret.h"

namespace schakel::crypto {

// A custodian's answer as it came off the wire.
struct CustodianAnswer {
  OrganisationId custodian;     // from the TLS certificate of the server that answered
  std::vector<Bytes> elements;  // evaluated elements of 32 bytes, in the order of the blinded ones
  Bytes proof;                  // 64 bytes: challenge || response
};

// Label and 9 digits of a BSN in secret memory: what is hashed. An 8-digit number is padded on its
// left. Errors: BSN_INVALID when it is not 8 or 9 digits or fails the elfproef; the message does
// not repeat it.
Result<SecretBytes> PseudonymInput(std::string_view bsn);

// One batch on its way: holds the BSNs and their blinds in secret memory and wipes them at its end.
// The same request may be combined under several key documents (during a rotation), since each
// needs its own evaluations of the same blinded elements.
class PseudonymRequest {
 public:
  // 1 .. limits::kEvaluateBatchMax BSNs; the views point into the caller's secret memory and are
  // not kept. Errors: BSN_INVALID with field "bsn[i]"; FIELD_INVALID for none, TOO_LARGE for too
  // many.
  static Result<PseudonymRequest> Begin(std::span<const std::string_view> bsns);

  // What every custodian is sent.
  const std::vector<Point>& blinded_elements() const { return blinded_; }

  // The pseudonyms, in the order of the BSNs. At least threshold() answers of different custodians
  // of the document are needed; all that are given are checked, the first threshold() are combined.
  // Errors: CUSTODIAN_ANSWER_INVALID, naming the custodian's OIN, for an unknown custodian, a
  // second answer of one, a wrong number of elements, a bad encoding or a false proof (a false
  // share can't make a true one, since the document's pk_x is checked against the commitments);
  // FAILED_PRECONDITION CUSTODIANS_TOO_FEW for too few answers.
  Result<std::vector<Digest>> Combine(const KeyDocument& document,
                                      std::span<const CustodianAnswer> answers) const;

 private:
  struct Item {
    SecretBytes input;
    SecretScalar blind;
  };
  PseudonymRequest() = default;
  std::vector<Item> items_;
  std::vector<Point> blinded_;
};

}  // namespace schakel::crypto
