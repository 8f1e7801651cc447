// Durable unary publish against the echoes, over real processes and mTLS.
#pragma once

#include <ostream>
#include <vector>

namespace schakel::bench {

struct PublishOptions {
  double seconds = 2;
  int rounds = 5;
  std::vector<int> in_flight = {1, 16, 64, 256};
  // Connections that the calls take in turn: 1 as one busy partner has, 64 as a region of them.
  std::vector<int> channels = {1, 64};
};

// Prints a row for each number of channels and of calls in flight, as soon as it is measured. 1
// when a call failed.
int RunPublishBench(const PublishOptions& options, std::ostream& out);

}  // namespace schakel::bench
