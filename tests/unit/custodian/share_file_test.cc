#include "broker/custodian/share_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "broker/custodian/files.h"
#include "tests/support/temp_dir.h"

namespace schakel::custodian {
namespace {

const OrganisationId kCustodian = *OrganisationId::From("00000099000000009001");

crypto::SecretScalar Key() {
  Bytes raw(32, '\0');
  raw[0] = 7;
  return *crypto::SecretScalar::Decode(raw);
}

// 1 of 1 with the key 7: the share is the key.
crypto::KeyDocument Document() {
  const auto point = crypto::Point::MultiplyGenerator(Key());
  return std::move(crypto::KeyDocument::Create("zhz.example", 1, {point}, {{1, kCustodian, point}}))
      .value();
}

Bytes Encoded() {
  const crypto::KeyShare share{1, Key()};
  return Bytes(EncodeShareFile(Document(), share).ExposeSecret());
}

TEST(ShareFile, ReadsWhatItWrote) {
  const auto parsed = ParseShareFile(Encoded());
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->region, "zhz.example");
  EXPECT_EQ(parsed->epoch, 1u);
  EXPECT_EQ(parsed->custodian, kCustodian);
  EXPECT_EQ(parsed->key_document, Document().digest());
  EXPECT_EQ(parsed->share.x, 1);
  EXPECT_TRUE(parsed->share.secret.Equals(Key()));
}

TEST(ShareFile, HasTheBytesThatFormatMdShows) {
  EXPECT_EQ(HexEncode(Encoded()),
            "736368616b656c2f76312f637573746f6469616e2d73686172650a"
            "0000000b7a687a2e6578616d706c65"
            "00000001"
            "3030303030303939303030303030303039303031"
            "01"
            "7dbd31bf14a05bd8a7a90c94bc1c75abf7b2c14094782eb33d2fbede1d690d23"
            "44f53520926ec81fbd5a387845beb7df85a96a24ece18738bdcfa6a7822a176d"
            "09cf154506b32b5c7f89a8bf155d1bac52e3b48cc598e8e1127e6fa721a1672a"
            "0700000000000000000000000000000000000000000000000000000000000000");
}

TEST(ShareFile, NoticesEverySingleBitFlip) {
  const Bytes good = Encoded();
  for (size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      const auto parsed = ParseShareFile(bad);
      ASSERT_FALSE(parsed.ok()) << "byte " << i << " bit " << bit;
      EXPECT_EQ(parsed.error().reason, "KEY_SHARE_INVALID");
    }
  }
}

TEST(ShareFile, NoticesEveryCutAndEveryAddition) {
  const Bytes good = Encoded();
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(ParseShareFile(good.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(ParseShareFile(good + '\0').ok());
}

TEST(ShareFile, IsRefusedWhenOthersMayReadIt) {
  const testing::TempDir folder;
  const auto path = folder.path() / "share-1.key";
  ASSERT_TRUE(WriteNewFile(path, Encoded(), 0600).ok());
  EXPECT_TRUE(LoadShareFile(path).ok());
  for (const mode_t mode : {0640, 0604, 0620, 0610, 0644}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const auto loaded = LoadShareFile(path);
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().field, path.string());
    EXPECT_NE(loaded.error().message.find("chmod 600"), std::string::npos);
  }
}

TEST(ShareFile, IsRefusedAsALinkAFolderOrTooLarge) {
  const testing::TempDir folder;
  const auto path = folder.path() / "share-1.key";
  ASSERT_TRUE(WriteNewFile(path, Encoded(), 0600).ok());
  std::filesystem::create_symlink(path, folder.path() / "link");
  EXPECT_FALSE(LoadShareFile(folder.path() / "link").ok());
  EXPECT_FALSE(LoadShareFile(folder.path()).ok());
  EXPECT_FALSE(LoadShareFile(folder.path() / "missing").ok());
  ASSERT_TRUE(WriteNewFile(folder.path() / "large", Bytes(5000, 'x'), 0600).ok());
  EXPECT_FALSE(LoadShareFile(folder.path() / "large").ok());
}

TEST(Files, ANewFileNeverReplacesAnother) {
  const testing::TempDir folder;
  const auto path = folder.path() / "file";
  ASSERT_TRUE(WriteNewFile(path, "first", 0600).ok());
  EXPECT_FALSE(WriteNewFile(path, "second", 0600).ok());
  EXPECT_EQ(*ReadFile(path, 100), "first");
  std::filesystem::create_symlink(folder.path() / "nowhere", folder.path() / "link");
  EXPECT_FALSE(WriteNewFile(folder.path() / "link", "x", 0600).ok());
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "nowhere"));
}

}  // namespace
}  // namespace schakel::custodian
