#include "broker/crypto/secret.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <set>
#include <type_traits>
#include <vector>

namespace schakel::crypto {
namespace {

static_assert(!std::is_copy_constructible_v<SecretBytes> &&
              !std::is_copy_assignable_v<SecretBytes>);

TEST(SecretBytes, StartsAsZeros) {
  EXPECT_EQ(SecretBytes(5).ExposeSecret(), BytesView("\0\0\0\0\0", 5));
  EXPECT_TRUE(SecretBytes().empty());
  EXPECT_TRUE(SecretBytes(0).ExposeSecret().empty());
}

TEST(SecretBytes, KeepsWhatWasCopiedAndWritten) {
  SecretBytes secret = SecretBytes::CopyOf("abc");
  secret.ExposeSecretForWrite()[1] = 'x';
  EXPECT_EQ(secret.ExposeSecret(), "axc");
  EXPECT_EQ(secret.Clone().ExposeSecret(), "axc");
}

TEST(SecretBytes, IsEmptyAfterAMove) {
  SecretBytes first = SecretBytes::CopyOf("abc");
  SecretBytes second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(second.ExposeSecret(), "abc");
  second = SecretBytes::CopyOf("de");
  EXPECT_EQ(second.ExposeSecret(), "de");
}

TEST(SecretBytes, ThatShareABlockAreWipedWhenTheyGoAndNeverOverlap) {
  for (size_t size : {1u, 64u, 65u, 256u, 257u, 2048u, 5000u}) {
    std::vector<SecretBytes> held;
    std::set<const char*> places;
    for (int i = 0; i < 100; ++i) {
      held.push_back(SecretBytes(size));
      const BytesView view = held.back().ExposeSecret();
      EXPECT_EQ(view.find_first_not_of('\0'), BytesView::npos) << size << ": not zeros";
      std::fill_n(held.back().ExposeSecretForWrite().data(), size, uint8_t{0xA5});
      places.insert(view.data());
    }
    EXPECT_EQ(places.size(), 100u) << size;
    for (const auto& secret : held) {
      EXPECT_EQ(secret.ExposeSecret().find_first_not_of('\xA5'), BytesView::npos) << size;
    }
    // A piece that was given back is the next one taken: zeros, though nobody cleaned up.
    held.clear();
    for (int i = 0; i < 100; ++i) held.push_back(SecretBytes(size));
    for (const auto& secret : held) {
      EXPECT_EQ(secret.ExposeSecret().find_first_not_of('\0'), BytesView::npos) << size;
    }
  }
}

TEST(ConstantTimeEqual, ComparesBytesAndSizes) {
  EXPECT_TRUE(ConstantTimeEqual("abc", "abc"));
  EXPECT_TRUE(ConstantTimeEqual("", ""));
  EXPECT_FALSE(ConstantTimeEqual("abc", "abd"));
  EXPECT_FALSE(ConstantTimeEqual("abc", "ab"));
}

TEST(WipeMemory, LeavesZerosAndAnEmptyString) {
  std::array<uint8_t, 3> raw = {1, 2, 3};
  WipeMemory(raw);
  EXPECT_EQ(raw, (std::array<uint8_t, 3>{}));
  Bytes text = "a longer text than the small-string buffer takes";
  const char* place = text.data();
  WipeMemory(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(place[1], 0);
}

[[noreturn]] void LockDownAndExit() {
  rlimit core{1, 1};
  const bool locked = LockDownProcess().ok() && getrlimit(RLIMIT_CORE, &core) == 0 &&
                      core.rlim_cur == 0 && core.rlim_max == 0 &&
                      prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
  _exit(locked ? 0 : 1);
}

TEST(LockDownProcess, ForbidsCoreFilesAndDumps) {
  // In a child, since it can't be undone.
  EXPECT_EXIT(LockDownAndExit(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace schakel::crypto
