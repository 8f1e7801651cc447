// A TCP port for programs that can't take port 0 themselves.
#pragma once

namespace schakel::testing {

// A port on 127.0.0.1 that was free a moment ago. Prefer port 0 and a port file where a program
// can: another process may take this one first.
int FreePort();

}  // namespace schakel::testing
