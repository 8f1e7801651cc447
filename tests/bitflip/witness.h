// What a client sees of a broker: everything that the store should still hold.
#pragma once

#include <string>

#include "tests/e2e/region.h"

namespace schakel::bitflip {

// What was there before any bit was turned.
struct Before {
  size_t waiting = 0;             // signals in the reader's inbox, never fetched
  std::string export_file_bytes;  // of the whole log, verified
  size_t frames_bytes = 0;        // of them, without the checkpoint
};

enum class Verdict {
  kHarmless,  // everything is as it was
  kDetected,  // somebody was told: an error, or a log that does not verify
  kWrong,     // a lie that nobody noticed
};

struct Seen {
  Verdict verdict = Verdict::kHarmless;
  std::string what;  // which error, or which lie
};

// The whole log in one verified export. REQUIRES: the broker serves.
Before LookBefore(e2e::Region& region, size_t waiting);
// Reads the log and all that waits, and compares. `name` keeps the clients' states of this look
// apart.
Seen LookAgain(e2e::Region& region, const Before& before, const std::string& name);

}  // namespace schakel::bitflip
