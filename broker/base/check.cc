#include "broker/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace schakel {

void CheckFailed(const char* file, int line, const char* condition, const char* what) {
  std::fprintf(stderr, "schakel: invariant broken at %s:%d: %s (%s)\n", file, line, what, condition);
  std::fflush(stderr);
  std::abort();
}

}  // namespace schakel
