// A whole key of the pseudonyms, dealt to custodians with made-up OINs.
#pragma once

#include <string>
#include <vector>

#include "broker/crypto/key_document.h"
#include "broker/crypto/oprf.h"
#include "broker/crypto/pseudonym.h"
#include "broker/crypto/threshold.h"

namespace schakel::crypto {

inline OrganisationId CustodianOin(uint8_t x) {
  return OrganisationId::From("000000990000009" + std::to_string(10 + x) + "000").value();
}

struct Custody {
  Dealing dealing;
  KeyDocument document;

  static Custody Of(const SecretScalar& key, uint8_t t, uint8_t n, uint32_t epoch = 1) {
    Dealing dealing = DealShares(key, t, n).value();
    std::vector<Custodian> custodians;
    for (const KeyShare& share : dealing.shares) {
      custodians.push_back(
          {share.x, CustodianOin(share.x), Point::MultiplyGenerator(share.secret)});
    }
    KeyDocument document =
        KeyDocument::Create("zuid-holland-zuid", epoch, dealing.commitments, custodians).value();
    return {std::move(dealing), std::move(document)};
  }

  // What custodian x answers, evaluated with its share.
  CustodianAnswer Answer(uint8_t x, const std::vector<Point>& blinded) const {
    return AnswerWith(x, dealing.shares[x - 1u].secret, blinded);
  }
  // What it answers when it uses another secret and proves that honestly.
  static CustodianAnswer AnswerWith(uint8_t x, const SecretScalar& secret,
                                    const std::vector<Point>& blinded) {
    const Evaluation evaluation =
        BlindEvaluate(secret, Point::MultiplyGenerator(secret), blinded).value();
    CustodianAnswer answer{CustodianOin(x), {}, evaluation.proof.Encode()};
    for (const Point& p : evaluation.elements) answer.elements.push_back(p.str());
    return answer;
  }
};

}  // namespace schakel::crypto
