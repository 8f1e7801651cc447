// What is no call at all: bytes of any kind on the port, before TLS and within it, and messages
// that are larger than anything the broker takes.
#pragma once

#include "tests/e2e/bad_input/world.h"

namespace schakel::e2e {

// Sends it to the broker and to the first custodian. Both serve as before afterwards, the broker's
// state is as it was, and its memory has not grown with what was sent.
void ExpectNoiseDoesNothing(World& world);

}  // namespace schakel::e2e
