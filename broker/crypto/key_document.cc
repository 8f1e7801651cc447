#include "broker/crypto/key_document.h"

#include <algorithm>
#include <optional>
#include <set>

#include "broker/base/limits.h"
#include "broker/crypto/cert_key.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/threshold.h"

namespace schakel::crypto {
namespace {

constexpr std::string_view kLabel = "schakel/v1/pseudonym-keys\n";
constexpr size_t kOinBytes = 20;

Error Invalid(std::string message) {
  return InvalidArgument("KEY_DOCUMENT_INVALID", "key_document", std::move(message));
}

}  // namespace

KeyDocument::KeyDocument(std::string region, uint32_t epoch, std::vector<Point> commitments,
                         std::vector<Custodian> custodians)
    : region_(std::move(region)),
      epoch_(epoch),
      commitments_(std::move(commitments)),
      custodians_(std::move(custodians)) {}

Status KeyDocument::Check() const {
  if (region_.empty() || region_.size() > limits::kNameBytesMax) {
    return Invalid("expected a region of 1 to 200 bytes");
  }
  if (epoch_ == 0) return Invalid("epoch 0 means unlinked; expected 1 or more");
  const size_t count = custodians_.size();
  if (commitments_.empty() || commitments_.size() > count || count > limits::kCustodiansMax) {
    return Invalid("expected 1 <= threshold <= custodians <= 16");
  }
  std::set<uint8_t> xs;
  std::set<OrganisationId> oins;
  for (const Custodian& custodian : custodians_) {
    const std::string& oin = custodian.oin.str();
    if (custodian.x < 1 || custodian.x > count) {
      return Invalid("share number of custodian " + oin + " is not in 1.." + std::to_string(count));
    }
    if (!xs.insert(custodian.x).second) {
      return Invalid("share number of custodian " + oin + " is another one's too");
    }
    if (!oins.insert(custodian.oin).second) return Invalid("custodian " + oin + " is there twice");
    auto expected = PublicShare(commitments_, custodian.x);
    if (!expected.ok() || *expected != custodian.public_share) {
      return Invalid("public share of custodian " + oin + " is not what the commitments promise");
    }
  }
  return {};
}

Result<KeyDocument> KeyDocument::Create(std::string region, uint32_t epoch,
                                        std::vector<Point> commitments,
                                        std::vector<Custodian> custodians) {
  KeyDocument document(std::move(region), epoch, std::move(commitments), std::move(custodians));
  SCHAKEL_TRY(document.Check());
  ByteWriter writer;
  writer.Raw(kLabel).Lp(document.region_).U32(epoch);
  writer.U8(document.threshold()).U8(static_cast<uint8_t>(document.custodians_.size()));
  for (const Point& a : document.commitments_) writer.Raw(a.view());
  for (const Custodian& c : document.custodians_) {
    writer.U8(c.x).Raw(c.oin.str()).Raw(c.public_share.view());
  }
  document.bytes_ = writer.Take();
  document.digest_ = Sha256(document.bytes_);
  return document;
}

Result<KeyDocument> KeyDocument::Parse(BytesView bytes) {
  ByteReader reader(bytes);
  if (reader.Raw(kLabel.size()) != kLabel) return Invalid("it does not start with its label");
  auto region = reader.Lp();
  auto epoch = reader.U32();
  auto threshold = reader.U8();
  auto count = reader.U8();
  if (reader.failed()) return Invalid("it ends too early");
  if (*threshold < 1 || *threshold > *count || *count > limits::kCustodiansMax) {
    return Invalid("expected 1 <= threshold <= custodians <= 16");
  }
  const size_t expected = *threshold * kPointBytes + *count * (1 + kOinBytes + kPointBytes);
  if (reader.remaining() != expected) return Invalid("it is too short or too long");
  std::vector<Point> commitments;
  for (size_t j = 0; j < *threshold; ++j) {
    auto point = Point::Decode(*reader.Raw(kPointBytes));
    if (!point) return Invalid("commitment " + std::to_string(j) + " is no group element");
    commitments.push_back(*point);
  }
  std::vector<Custodian> custodians;
  for (size_t i = 0; i < *count; ++i) {
    const uint8_t x = *reader.U8();
    auto oin = OrganisationId::From(*reader.Raw(kOinBytes));
    if (!oin) return Invalid("custodian " + std::to_string(i) + " has no OIN of 20 digits");
    auto point = Point::Decode(*reader.Raw(kPointBytes));
    if (!point) return Invalid("public share of custodian " + oin->str() + " is no group element");
    custodians.push_back({x, *oin, *point});
  }
  SCHAKEL_ASSIGN(KeyDocument document, Create(std::string(*region), *epoch, std::move(commitments),
                                              std::move(custodians)));
  if (document.bytes_ != bytes) return Invalid("it is not in its one form");
  return document;
}

const Custodian* KeyDocument::Find(const OrganisationId& oin) const {
  auto it = std::find_if(custodians_.begin(), custodians_.end(),
                         [&](const Custodian& c) { return c.oin == oin; });
  return it == custodians_.end() ? nullptr : &*it;
}

Status VerifyKeyDocument(const KeyDocument& document,
                         std::span<const KeyDocumentSignature> signatures,
                         const TrustAnchors* anchors, Millis at) {
  std::set<OrganisationId> signers;
  for (const KeyDocumentSignature& signature : signatures) {
    if (signature.chain.empty()) return Invalid("a signature comes without its certificate");
    const Certificate& leaf = signature.chain.front();
    auto oin = RequireOin(leaf);
    if (!oin.ok()) return Invalid("a signer's certificate: " + oin.error().message);
    if (document.Find(*oin) == nullptr) {
      return Invalid("signed by " + oin->str() + ", which is no custodian of it");
    }
    if (!signers.insert(*oin).second) return Invalid("custodian " + oin->str() + " signed twice");
    if (anchors != nullptr) {
      SCHAKEL_ASSIGN(ChainVerdict verdict, anchors->Verify(signature.chain, at, ChainUse::kAny));
      if (!verdict.trusted) {
        return Invalid("certificate of custodian " + oin->str() + ": " + verdict.why);
      }
    }
    SCHAKEL_ASSIGN(bool genuine, VerifyByCertificate(leaf, document.bytes(), signature.signature));
    if (!genuine) return Invalid("signature of custodian " + oin->str() + " is false");
  }
  for (const Custodian& custodian : document.custodians()) {
    if (!signers.contains(custodian.oin)) {
      return Invalid("signature of custodian " + custodian.oin.str() + " is missing");
    }
  }
  return {};
}

}  // namespace schakel::crypto
