// What idle inbox streams cost a broker's memory: real processes over mTLS.
#pragma once

#include <ostream>

namespace schakel::bench {

struct IdleOptions {
  int streams = 2000;
  int per_connection = 1;  // streams of one organisation that share a connection
};

// Prints a table row. As many organisations take part as the broker's bound of streams for each
// wants. 1 when a stream did not open or ended by itself.
int RunIdleStreams(const IdleOptions& options, std::ostream& out);

}  // namespace schakel::bench
