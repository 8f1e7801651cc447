// What OpenSSL says went wrong. Internal to broker/crypto.
#pragma once

#include <openssl/err.h>

#include <string>

namespace schakel::crypto {

// The newest text of this thread's error queue, which is emptied; never data, only OpenSSL's own
// words.
inline std::string TakeOpensslError() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "no further reason given";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

}  // namespace schakel::crypto
