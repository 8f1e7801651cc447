// What a publish costs behind the signature, and then its delivery and its acknowledgement:
// decided, recorded, written, synced, with no transport.
#pragma once

#include <cstddef>
#include <ostream>

namespace schakel::bench {

struct CommitOptions {
  size_t signals = 100'000;
  size_t in_flight = 64;
  bool linked = false;  // each signal about a subject of its own under a pseudonym
};

// A table row for each, or what went wrong and false. The processor time is of the whole process,
// the store's own threads included. The allocator is the process's; a broker has jemalloc, which
// LD_PRELOAD gives the benchmark too.
bool RunCommitBench(const CommitOptions& options, std::ostream& out);

}  // namespace schakel::bench
