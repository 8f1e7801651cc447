// Sealing with given randomness, for SealSection itself and for tests and vectors. Not for other
// modules: a content key or ephemeral key that is used twice breaks the seal.
#pragma once

#include <functional>

#include "broker/crypto/seal.h"

namespace schakel::crypto::seal_internal {

// `next_ephemeral` is called once per recipient, in order.
Result<SealedSection> SealSectionWith(const SealRequest& request, const SecretBytes& content_key,
                                      const std::function<X25519KeyPair()>& next_ephemeral);

}  // namespace schakel::crypto::seal_internal
