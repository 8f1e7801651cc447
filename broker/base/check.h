// Invariants that stop the process, in every build type.
#pragma once

namespace schakel {

// Prints `what` with its place to stderr and aborts. Never returns.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, const char* what);

}  // namespace schakel

// A broken invariant is no error to handle: it stops the process, since going on could lose or leak.
// `what` names the invariant ("I4: ...") or the rule that was broken; it never holds data.
#define SCHAKEL_CHECK(condition, what)                                     \
  do {                                                                     \
    if (!(condition)) [[unlikely]]                                         \
      ::schakel::CheckFailed(__FILE__, __LINE__, #condition, what);        \
  } while (false)
