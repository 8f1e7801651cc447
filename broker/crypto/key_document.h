// The key document of one epoch: who holds which share of the pseudonym key (proto/ENVELOPE.md).
//   "schakel/v1/pseudonym-keys\n" || lp(region) || u32 epoch || u8 t || u8 n || A_0 .. A_(t-1)
//   || n x (u8 x_i || OIN || pk_i)
// Pinned by its digest in the policy bundle and in each client's context; signed by all custodians.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/crypto/ristretto.h"
#include "broker/crypto/x509.h"

namespace schakel::crypto {

struct Custodian {
  uint8_t x;  // of its share, 1 .. n
  OrganisationId oin;
  Point public_share;  // pk_x
  bool operator==(const Custodian&) const = default;
};

// A key document that exists is consistent: 1 <= t <= n <= limits::kCustodiansMax, epoch > 0 (epoch
// 0 means unlinked), x distinct in 1 .. n, OINs distinct, every pk_x what the commitments promise,
// every element canonical and not the identity. Whether its digest is the pinned one, and its
// signatures: the caller asks. Immutable, safe to use from several threads.
class KeyDocument {
 public:
  // Errors: KEY_DOCUMENT_INVALID; a wrong share's message names the custodian's OIN.
  static Result<KeyDocument> Create(std::string region, uint32_t epoch,
                                    std::vector<Point> commitments,
                                    std::vector<Custodian> custodians);
  // Strict: no byte missing, no byte left. The bytes are kept as they came. Errors: as Create.
  static Result<KeyDocument> Parse(BytesView bytes);

  const Bytes& bytes() const { return bytes_; }
  const Digest& digest() const { return digest_; }  // SHA-256 of bytes()
  const std::string& region() const { return region_; }
  uint32_t epoch() const { return epoch_; }
  uint8_t threshold() const { return static_cast<uint8_t>(commitments_.size()); }
  const std::vector<Point>& commitments() const { return commitments_; }
  const Point& public_key() const { return commitments_.front(); }
  const std::vector<Custodian>& custodians() const { return custodians_; }
  // nullptr when the organisation holds no share.
  const Custodian* Find(const OrganisationId& oin) const;

 private:
  KeyDocument(std::string region, uint32_t epoch, std::vector<Point> commitments,
              std::vector<Custodian> custodians);
  Status Check() const;

  std::string region_;
  uint32_t epoch_;
  std::vector<Point> commitments_;
  std::vector<Custodian> custodians_;
  Bytes bytes_;
  Digest digest_;
};

// One custodian's signature over bytes(), with its certificate (leaf first) as it travels with the
// document.
struct KeyDocumentSignature {
  std::vector<Certificate> chain;
  Bytes signature;
};

// Checks that every custodian of the document signed it, once, with the key of a certificate that
// names its OIN. Where anchors are given, each chain must be trusted at `at`. Revocation is the
// caller's. Errors: KEY_DOCUMENT_INVALID with the OIN of the custodian whose signature is missing,
// false or not trusted.
Status VerifyKeyDocument(const KeyDocument& document,
                         std::span<const KeyDocumentSignature> signatures,
                         const TrustAnchors* anchors, Millis at);

}  // namespace schakel::crypto
