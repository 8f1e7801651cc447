#include "broker/crypto/pseudonym.h"

#include <algorithm>
#include <set>
#include <string>

#include "broker/crypto/threshold.h"

namespace schakel::crypto {
namespace {

constexpr std::string_view kLabel = "schakel/v1/bsn\n";
constexpr size_t kDigits = 9;

Error WrongAnswer(const OrganisationId& custodian, const std::string& what) {
  return MakeError(ErrorCode::kDataLoss, "CUSTODIAN_ANSWER_INVALID",
                   "answer of custodian " + custodian.str() + ": " + what);
}

// The elements of one answer, decoded and proved.
Result<std::vector<Point>> CheckAnswer(const Custodian& custodian, const CustodianAnswer& answer,
                                       std::span<const Point> blinded) {
  if (answer.elements.size() != blinded.size()) {
    return WrongAnswer(custodian.oin, "expected as many elements as were sent");
  }
  std::vector<Point> elements;
  for (const Bytes& raw : answer.elements) {
    auto element = Point::Decode(raw);
    if (!element) return WrongAnswer(custodian.oin, "an element is no group element");
    elements.push_back(*element);
  }
  auto proof = OprfProof::Decode(answer.proof);
  if (!proof) return WrongAnswer(custodian.oin, "the proof is malformed");
  if (!VerifyProof(custodian.public_share, blinded, elements, *proof)) {
    return WrongAnswer(custodian.oin, "the proof is false: it did not use its share");
  }
  return elements;
}

}  // namespace

Result<SecretBytes> PseudonymInput(std::string_view bsn) {
  SecretBytes input(kLabel.size() + kDigits);
  std::span<uint8_t> bytes = input.ExposeSecretForWrite();
  std::copy(kLabel.begin(), kLabel.end(), bytes.begin());
  std::span<uint8_t> digits = bytes.last(kDigits);
  if (bsn.size() == kDigits || bsn.size() == kDigits - 1) {
    digits[0] = '0';
    std::copy(bsn.begin(), bsn.end(), digits.end() - static_cast<ptrdiff_t>(bsn.size()));
  }
  // A wrong length left zeros, which are no digits.
  if (!PassesElfproef(input.ExposeSecret().substr(kLabel.size()))) {
    return InvalidArgument("BSN_INVALID", "bsn",
                           "expected 8 or 9 digits that pass the elfproef (the BSN's own check)");
  }
  return input;
}

Result<PseudonymRequest> PseudonymRequest::Begin(std::span<const std::string_view> bsns) {
  if (bsns.empty()) return InvalidArgument("FIELD_INVALID", "bsn", "expected at least one BSN");
  if (bsns.size() > limits::kEvaluateBatchMax) {
    return InvalidArgument("TOO_LARGE", "bsn", "expected at most 256 BSNs at a time");
  }
  PseudonymRequest request;
  request.items_.reserve(bsns.size());
  request.blinded_.reserve(bsns.size());
  for (size_t i = 0; i < bsns.size(); ++i) {
    auto input = PseudonymInput(bsns[i]);
    if (!input.ok()) {
      Error error = input.error();
      error.field = "bsn[" + std::to_string(i) + "]";
      return error;
    }
    SCHAKEL_ASSIGN(BlindedInput blinded, Blind(input->ExposeSecret()));
    request.blinded_.push_back(blinded.element);
    request.items_.push_back({std::move(*input), std::move(blinded.blind)});
  }
  return request;
}

Result<std::vector<Digest>> PseudonymRequest::Combine(
    const KeyDocument& document, std::span<const CustodianAnswer> answers) const {
  std::set<OrganisationId> answered;
  std::vector<uint8_t> xs;
  std::vector<std::vector<Point>> evaluations;
  for (const CustodianAnswer& answer : answers) {
    const Custodian* custodian = document.Find(answer.custodian);
    if (custodian == nullptr) {
      return WrongAnswer(answer.custodian, "it holds no share by this key document");
    }
    if (!answered.insert(answer.custodian).second) {
      return WrongAnswer(answer.custodian, "it answered twice");
    }
    SCHAKEL_ASSIGN(std::vector<Point> elements, CheckAnswer(*custodian, answer, blinded_));
    xs.push_back(custodian->x);
    evaluations.push_back(std::move(elements));
  }
  const size_t threshold = document.threshold();
  if (answered.size() < threshold) {
    return MakeError(ErrorCode::kFailedPrecondition, "CUSTODIANS_TOO_FEW",
                     "expected the answers of " + std::to_string(threshold) + " custodians, got " +
                         std::to_string(answered.size()));
  }
  xs.resize(threshold);
  SCHAKEL_ASSIGN(std::vector<Scalar> coefficients, LagrangeAtZero(xs));
  std::vector<Digest> values;
  values.reserve(items_.size());
  for (size_t i = 0; i < items_.size(); ++i) {
    std::vector<Point> elements;
    for (size_t k = 0; k < threshold; ++k) elements.push_back(evaluations[k][i]);
    SCHAKEL_ASSIGN(Point combined, CombineElements(coefficients, elements));
    SCHAKEL_ASSIGN(SecretBytes output,
                   Finalize(items_[i].input.ExposeSecret(), items_[i].blind, combined));
    values.push_back(*Digest::From(output.ExposeSecret().substr(0, 32)));
  }
  return values;
}

}  // namespace schakel::crypto
