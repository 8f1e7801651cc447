#include <sys/prctl.h>
#include <sys/resource.h>

#include "broker/crypto/secret.h"

#ifdef __SANITIZE_ADDRESS__
namespace {
bool locked_down = false;
}
// LeakSanitizer looks into its own process as a debugger would, which a locked one forbids.
extern "C" int __lsan_is_turned_off() { return locked_down ? 1 : 0; }
#endif

namespace schakel::crypto {

Status LockDownProcess() {
#ifndef SCHAKEL_ALLOW_CORE_IMAGE
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return Internal("core files can't be switched off");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return Internal("the process can't be made non-dumpable");
  }
#ifdef __SANITIZE_ADDRESS__
  locked_down = true;
#endif
#endif
  return {};
}

}  // namespace schakel::crypto
