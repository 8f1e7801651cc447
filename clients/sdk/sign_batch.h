// One signature for several sealed envelopes (proto/ENVELOPE.md, Batch).
#pragma once

#include <span>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/crypto/sign.h"
#include "schakel/v1/envelope.pb.h"

namespace schakel::sdk {

// Signs the envelopes as one batch and gives each its proof: signature, place and path. Any proof
// that an envelope had is replaced; its digest does not depend on it. REQUIRES: 1 to 64, and as
// many digests, each that of its envelope.
void SignTogether(std::span<v1::Envelope* const> envelopes, std::span<const Digest> digests,
                  const crypto::SigningKey& key);

}  // namespace schakel::sdk
