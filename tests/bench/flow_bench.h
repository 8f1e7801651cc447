// A signal's whole way: published on a stream, delivered, acknowledged. Over real processes and
// mTLS, with this library's streams at both ends.
#pragma once

#include <ostream>

namespace schakel::bench {

struct FlowOptions {
  double seconds = 2;
  int rounds = 5;
  int in_flight = 2048;  // signals that are published and not acknowledged
  int readers = 1;       // Pull streams, each over a connection of its own
};

// Prints a row: what it reached, and how long a signal takes at half of that. 1 when one was lost.
int RunFlowBench(const FlowOptions& options, std::ostream& out);

}  // namespace schakel::bench
