#include "broker/store/crc32c.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace schakel::store {
namespace {

TEST(Crc32c, EqualsThePublishedValues) {
  // SOURCE: RFC 3720 B.4, which prints the bytes of the value in reverse.
  EXPECT_EQ(Crc32c(Bytes(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(Bytes(32, '\xff')), 0x62a8ab43u);
  Bytes rising;
  for (char c = 0; c < 32; ++c) rising.push_back(c);
  EXPECT_EQ(Crc32c(rising), 0x46dd794eu);
}

TEST(Crc32c, IsTheOneThatRocksDbUses) {
  // What the dynamic linker gives RocksDB for its own name lies in this program.
  void* const used = dlsym(RTLD_DEFAULT, "_ZN7rocksdb6crc32c6ExtendEjPKcm");
  Dl_info where{};
  ASSERT_TRUE(used != nullptr && dladdr(used, &where) != 0);
  EXPECT_EQ(std::filesystem::canonical(where.dli_fname),
            std::filesystem::canonical("/proc/self/exe"));
  const auto extend = reinterpret_cast<uint32_t (*)(uint32_t, const char*, size_t)>(used);
  Bytes data;
  for (int i = 0; i < 300; ++i) {
    const size_t first = data.size() / 3;
    EXPECT_EQ(extend(extend(0, data.data(), first), data.data() + first, data.size() - first),
              Crc32c(data))
        << data.size();
    data.push_back(static_cast<char>(i * 7));
  }
}

}  // namespace
}  // namespace schakel::store
