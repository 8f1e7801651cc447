// One flipped bit in a file of the database is an error, and never a wrong or missing value.
#include <gtest/gtest.h>

#include <random>

#include "broker/store/store.h"
#include "tests/unit/store/store_fixture.h"

namespace schakel::store {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kCommits = 40;
constexpr size_t kValueBytes = 400;  // large enough for blob files

class StoreBitFlipTest : public ::testing::TestWithParam<const char*> {
 protected:
  StoreBitFlipTest() {
    const auto store = MustOpen(SmallOptions(folder_ / "good"));
    for (uint64_t p = 1; p <= kCommits; ++p) {
      EXPECT_TRUE(store->Commit(BatchAt(p, kValueBytes), p).ok());
    }
    EXPECT_TRUE(store->Flush().ok());
    EXPECT_TRUE(store->VerifyFiles().ok());
    EXPECT_TRUE(store->Close().ok());
  }
  std::vector<fs::path> Files(const std::string& extension) const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder_ / "good" / "db")) {
      if (entry.path().extension() == extension) files.push_back(entry.path().filename());
    }
    return files;
  }
  TempFolder folder_;
};

struct Outcome {
  int errors = 0;
  int right = 0;
};

// Reads everything there is, in every way there is. Each read is right or an error.
Outcome ReadEverything(const StateReader& reader) {
  Outcome outcome;
  for (const Family family : kFamilies) {
    if (!IsState(family)) continue;
    for (uint64_t p = 1; p <= kCommits; ++p) {
      const Bytes expected(kValueBytes, static_cast<char>('a' + p % 26));
      const auto value = reader.Get(family, ByteWriter().U64(p).Take());
      if (!value.ok()) {
        EXPECT_EQ(value.error().reason, "STORE_CORRUPT");
        ++outcome.errors;
      } else {
        EXPECT_EQ(*value, expected) << "a wrong value of position " << p;
        ++outcome.right;
      }
    }
    uint64_t count = 0;
    const Status scanned = reader.Scan(family, "", "", [&](BytesView key, BytesView value) {
      ++count;
      EXPECT_EQ(key, ByteWriter().U64(count).Take());
      EXPECT_EQ(value, Bytes(kValueBytes, static_cast<char>('a' + count % 26)));
      return true;
    });
    if (scanned.ok()) {
      EXPECT_EQ(count, kCommits) << "a scan left keys out";
    } else {
      ++outcome.errors;
    }
  }
  return outcome;
}

TEST_P(StoreBitFlipTest, IsAnErrorAndNeverAWrongValue) {
  const std::string extension = GetParam();
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto files = Files(extension);
  ASSERT_FALSE(files.empty());
  int noticed = 0;
  constexpr int kFlips = 60;
  for (int flip = 0; flip < kFlips; ++flip) {
    const fs::path bad = folder_ / "bad";
    fs::remove_all(bad);
    fs::copy(folder_ / "good", bad, fs::copy_options::recursive);
    const fs::path file = bad / "db" / files[random() % files.size()];
    std::string content = ReadAll(file);
    const uint64_t bit = random() % (content.size() * 8);
    content[bit / 8] = static_cast<char>(content[bit / 8] ^ (1 << (bit % 8)));
    WriteAllTo(file, content);
    SCOPED_TRACE(file.filename().string() + " bit " + std::to_string(bit));

    StoreOptions options = SmallOptions(bad);
    options.create = false;
    const auto opened = Store::Open(options);
    if (!opened.ok()) {
      EXPECT_EQ(opened.error().reason, "STORE_CORRUPT");
      ++noticed;
      continue;
    }
    const Outcome outcome = ReadEverything((*opened)->durable());
    // Reads need not touch the flipped byte; the check of whole files always does.
    const bool verified = (*opened)->VerifyFiles().ok();
    EXPECT_FALSE(verified && extension == ".sst");
    if (outcome.errors > 0 || !verified) ++noticed;
  }
  EXPECT_GT(noticed, extension == ".sst" ? kFlips - 1 : kFlips / 2);
}

INSTANTIATE_TEST_SUITE_P(Files, StoreBitFlipTest, ::testing::Values(".sst", ".blob"),
                         [](const auto& file) { return std::string(file.param + 1); });

}  // namespace
}  // namespace schakel::store
