// Filling of the values that the caller chose, for BuildValues itself and for tests and vectors.
// Not for other modules: filling that is not random tells how many values are real.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "broker/base/bytes.h"

namespace schakel::crypto::envelope_internal {

// `fill` is called once for each value that lacks.
std::vector<Digest> BuildValuesWith(std::span<const Digest> known,
                                    const std::function<Digest()>& fill);

}  // namespace schakel::crypto::envelope_internal
