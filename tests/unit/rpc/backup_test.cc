// What a backup refuses before it begins. Made ones: tests/e2e/backup_test.cc,
// tests/unit/store/store_backup_test.cc.
#include "broker/rpc/backup.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"

namespace schakel::rpc {
namespace {

namespace fs = std::filesystem;

class BackupDestination : public ::testing::Test {
 protected:
  BackupDestination() { fs::create_directories(data_); }
  std::string Refusal(const fs::path& to) {
    const Status checked = CheckBackupDestination(to, data_);
    if (checked.ok()) return "";
    EXPECT_EQ(checked.error().reason, "BACKUP_DESTINATION");
    EXPECT_EQ(checked.error().field, to.string());
    return checked.error().message;
  }
  testing::TempDir folder_;
  const fs::path data_ = folder_ / "data";
};

TEST_F(BackupDestination, MayBeNewOrEmpty) {
  EXPECT_EQ(Refusal(folder_ / "new"), "");
  fs::create_directory(folder_ / "empty");
  EXPECT_EQ(Refusal(folder_ / "empty"), "");
}

TEST_F(BackupDestination, IsNeverOverwritten) {
  fs::create_directory(folder_ / "used");
  std::ofstream(folder_ / "used" / "x") << "x";
  EXPECT_NE(Refusal(folder_ / "used").find("not empty"), std::string::npos);
  EXPECT_NE(Refusal(folder_ / "used" / "x"), "");
  fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "link");
  EXPECT_NE(Refusal(folder_ / "link"), "") << "a link that leads nowhere yet";
}

TEST_F(BackupDestination, LiesOutsideTheDataFolderAlsoByALink) {
  EXPECT_NE(Refusal(data_ / "copy").find("outside the data folder"), std::string::npos);
  EXPECT_NE(Refusal(data_), "");
  EXPECT_NE(Refusal(folder_.path()), "") << "it would hold the data folder";
  fs::create_directory_symlink(data_, folder_ / "shortcut");
  EXPECT_NE(Refusal(folder_ / "shortcut" / "copy").find("outside"), std::string::npos);
  EXPECT_EQ(Refusal(folder_ / "data-copy"), "") << "a longer name is another folder";
}

TEST_F(BackupDestination, HasAParentAndAnAbsolutePath) {
  EXPECT_NE(Refusal("copy"), "");
  EXPECT_NE(Refusal(folder_ / "missing" / "copy").find("is not there"), std::string::npos);
}

class BackupRoom : public ::testing::Test {
 protected:
  BackupRoom() {
    store::StoreOptions options;
    options.folder = folder_ / "data";
    options.create = true;
    options.cache_bytes = size_t{8} << 20;
    options.free_bytes = [this] { return Result<uint64_t>(free_); };
    store_ = store::Store::Open(std::move(options)).value();
    store::Batch batch;
    for (int i = 0; i < 100; ++i) {
      batch.Put(store::Family::kHot, "key" + std::to_string(i), Bytes(1000, 'x'));
    }
    EXPECT_TRUE(store_->Commit(batch, 1).ok());
    EXPECT_TRUE(store_->Flush().ok());
  }
  testing::TempDir folder_;
  uint64_t free_ = 0;
  std::unique_ptr<store::Store> store_;
  static constexpr uint64_t kGiB = uint64_t{1} << 30;
};

TEST_F(BackupRoom, OfLinkedFilesLeavesTheReserveOfTheDataFoldersDisk) {
  free_ = 2 * kGiB;
  EXPECT_TRUE(CheckBackupRoom(*store_, folder_.path(), true, kGiB).ok());
  free_ = kGiB;
  const Status low = CheckBackupRoom(*store_, folder_.path(), true, kGiB);
  ASSERT_FALSE(low.ok());
  EXPECT_EQ(low.error().reason, "STORAGE_LOW");
  EXPECT_NE(low.error().message.find(std::to_string(kGiB) + " are"), std::string::npos)
      << low.error().message;
}

TEST_F(BackupRoom, OfCopiedFilesIsThatOfTheDestinationsDisk) {
  free_ =
      kGiB;  // of the data folder's disk: enough for what is in memory, the reserve is untouched
  EXPECT_TRUE(CheckBackupRoom(*store_, folder_.path(), false, kGiB).ok());
  const Status none = CheckBackupRoom(*store_, "/proc", false, kGiB);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().reason, "STORAGE_LOW");
  EXPECT_NE(none.error().message.find("/proc"), std::string::npos) << none.error().message;
  free_ = 0;  // then a backup would end the writing of the store
  EXPECT_FALSE(CheckBackupRoom(*store_, folder_.path(), false, kGiB).ok());
}

}  // namespace
}  // namespace schakel::rpc
