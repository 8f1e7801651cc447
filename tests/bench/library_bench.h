// What needs no server: decision, share evaluation, log verification.
#pragma once

#include <ostream>

namespace schakel::bench {

// One table row each, beside the raw operation that bounds it.
void RunLibraryBench(std::ostream& out);

}  // namespace schakel::bench
