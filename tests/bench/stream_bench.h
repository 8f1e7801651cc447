// Durable publish on a stream, in batches of 64 under one signature, over real processes and mTLS.
#pragma once

#include <ostream>

namespace schakel::bench {

struct StreamOptions {
  double seconds = 2;
  int rounds = 5;
  int streams = 1;  // each over a connection of its own
};

// Prints a row. 1 when a signal was not accepted.
int RunStreamBench(const StreamOptions& options, std::ostream& out);

}  // namespace schakel::bench
