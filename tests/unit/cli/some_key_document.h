// A key document of one custodian, whom nobody asks anything.
#pragma once

#include "broker/crypto/key_document.h"
#include "broker/crypto/threshold.h"

namespace schakel::cli {

inline crypto::KeyDocument SomeKeyDocument(uint32_t epoch) {
  const auto dealing = crypto::DealShares(crypto::SecretScalar::Random(), 1, 1).value();
  const auto share = crypto::Point::MultiplyGenerator(dealing.shares[0].secret);
  return crypto::KeyDocument::Create("zhz.example", epoch, dealing.commitments,
                                     {{1, *OrganisationId::From("00000099000000004001"), share}})
      .value();
}

}  // namespace schakel::cli
