// Durable unary publish against the echoes, over real processes and mTLS.
#pragma once

#include <ostream>

namespace schakel::bench {

struct PublishOptions {
  double seconds = 2;
  int rounds = 5;
};

// Prints a row for 1, 16, 64 and 256 calls in flight. 1 when a call failed.
int RunPublishBench(const PublishOptions& options, std::ostream& out);

}  // namespace schakel::bench
