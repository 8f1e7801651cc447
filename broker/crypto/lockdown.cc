#include <sys/prctl.h>
#include <sys/resource.h>

#include "broker/crypto/secret.h"

namespace schakel::crypto {

Status LockDownProcess() {
#ifndef SCHAKEL_ALLOW_CORE_IMAGE
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return Internal("core files can't be switched off");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return Internal("the process can't be made non-dumpable");
  }
#endif
  return {};
}

}  // namespace schakel::crypto
