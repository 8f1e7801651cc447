#include <gtest/gtest.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <cstdlib>

#include "broker/crypto/init.h"

namespace schakel::crypto {
namespace {

bool watched = false;

bool OpenSslWorks() {
  unsigned char byte = 0;
  return RAND_bytes(&byte, 1) == 1;
}

// Behind everything that was to be done when main returned.
[[gnu::destructor]] void AtTheVeryEnd() {
  if (watched) ::_exit(OpenSslWorks() ? 0 : 1);
}

TEST(Exit, LeavesOpenSslToTheThreadsThatStillRun) {
  InitCrypto();
  EXPECT_EXIT(
      {
        watched = OpenSslWorks();
        std::exit(2);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace schakel::crypto
