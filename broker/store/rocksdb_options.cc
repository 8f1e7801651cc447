#include "broker/store/rocksdb_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/rate_limiter.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <chrono>

#include "broker/store/file_system_handle.h"
#include "broker/store/insert_hint.h"

namespace schakel::store {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

// How often the background gets its share of the bytes: with 100 ms it used them up at once, and
// commits waited for the disk until they were written.
constexpr auto kRefillPeriod = std::chrono::milliseconds(10);

// A file with so many deletions in a row of entries is merged at once. A busy queue's file has a
// fifth of them, and waits for the next ones: each merge rewrites what lasts.
constexpr size_t kRowOfEntries = size_t{1} << 16;
constexpr size_t kDeletionsInARow = kRowOfEntries / 4 * 3;

rocksdb::DBOptions MakeDbOptions(const StoreOptions& options,
                                 const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::DBOptions db;
  db.create_if_missing = options.create && !options.read_only;
  // A crash while a new store was being made leaves some families out; the format key comes last.
  db.create_missing_column_families = db.create_if_missing;

  // INVARIANT I1, I2: one log for all families, written and synced by the commit itself.
  db.unordered_write = false;
  db.allow_concurrent_memtable_write = false;  // there is one writer at a time
  db.manual_wal_flush = false;
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  db.recycle_log_file_num = 0;  // old bytes behind the end would look like a tail
  db.track_and_verify_wals_in_manifest = true;
  // What is read from the log at start may be in the page cache only: put it into synced files.
  db.avoid_flush_during_recovery = false;
  db.max_bgerror_resume_count = 0;  // a failed write ends all writing until the broker is restarted

  db.paranoid_checks = true;
  db.flush_verify_memtable_count = true;
  db.verify_sst_unique_id_in_manifest = true;
  db.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  db.allow_data_in_errors = false;  // messages name files, not keys

  // LIMIT: memory. Write buffers are accounted for in the one cache, and take up to half of it: a
  // value that is deleted while it is in memory mostly goes to no file.
  db.write_buffer_manager =
      std::make_shared<rocksdb::WriteBufferManager>(options.cache_bytes / 2, cache);
  db.max_open_files = 1024;
  // LIMIT: the log, and with it the time of a start. Files of it that were let go are removed
  // together, and commits wait meanwhile: where the file system discards at once, 256 MiB took 60
  // ms, half of that half.
  db.max_total_wal_size = 128 * kMiB;
  // LIMIT: the list of files. Renewing it (Database::RenewManifest) takes as much once.
  db.max_manifest_file_size = kManifestBytesMax;
  // LIMIT: the info log. It holds settings and file numbers only.
  db.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  db.max_log_file_size = 4 * kMiB;
  db.keep_log_file_num = 2;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;

  db.max_background_jobs = 2;
  // Files are written back in small pieces, spread over time: a commit's sync waits behind them.
  db.bytes_per_sync = kMiB / 4;
  if (options.background_bytes_per_second > 0) {
    db.rate_limiter.reset(
        rocksdb::NewGenericRateLimiter(static_cast<int64_t>(options.background_bytes_per_second),
                                       std::chrono::microseconds(kRefillPeriod).count()));
  }
  db.skip_stats_update_on_db_open = true;  // start in seconds with many files
  return db;
}

// Common to all families.
rocksdb::ColumnFamilyOptions BaseFamily(const StoreOptions& options) {
  rocksdb::ColumnFamilyOptions family;
  family.write_buffer_size = std::clamp(options.cache_bytes / 8, kMiB, 64 * kMiB);
  family.max_write_buffer_number = 4;  // a commit does not wait for one slow flush
  family.level_compaction_dynamic_level_bytes = true;
  family.target_file_size_base = 32 * kMiB;
  family.max_bytes_for_level_base = 128 * kMiB;
  family.compression = rocksdb::kNoCompression;
  family.paranoid_file_checks = true;  // reads back each file that was written
  return family;
}

rocksdb::BlockBasedTableOptions BaseTable(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;  // inside the bound
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  return table;
}

void AddBloom(rocksdb::BlockBasedTableOptions& table, rocksdb::ColumnFamilyOptions& family) {
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));  // 1 of 100 misses reads a block
  table.whole_key_filtering = true;
  family.memtable_whole_key_filtering = true;
  family.memtable_prefix_bloom_size_ratio = 0.02;
}

rocksdb::ColumnFamilyOptions FamilyOptions(Family which, const StoreOptions& options,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions family = BaseFamily(options);
  rocksdb::BlockBasedTableOptions table = BaseTable(cache);
  switch (which) {
    case Family::kHot:
      AddBloom(table, family);
      // Queues leave tombstones behind; files full of them are compacted before scans feel it.
      family.table_properties_collector_factories.push_back(
          rocksdb::NewCompactOnDeletionCollectorFactory(kRowOfEntries, kDeletionsInARow));
      break;
    case Family::kContent:
      // Ciphertext does not compress. Values lie in blob files, so that compactions move keys only.
      family.enable_blob_files = true;
      family.min_blob_size = 256;
      family.blob_file_size = 64 * kMiB;
      family.blob_compression_type = rocksdb::kNoCompression;
      family.enable_blob_garbage_collection = true;
      family.blob_garbage_collection_age_cutoff = 0.25;
      family.blob_garbage_collection_force_threshold = 0.5;
      break;
    case Family::kRecords:
      AddBloom(table, family);
      table.block_size = 16 * 1024;  // read in order by exports
      family.compression = rocksdb::kLZ4Compression;
      break;
    case Family::kTiles:
      table.block_size = 16 * 1024;  // hashes do not compress; a full tile has 8 KiB
      break;
    case Family::kRegistry:
    case Family::kLocal:
      AddBloom(table, family);
      family.compression = rocksdb::kLZ4Compression;
      break;
  }
  family.memtable_insert_with_hint_prefix_extractor = InsertHintOf(which);
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return family;
}

}  // namespace

DatabaseOptions MakeDatabaseOptions(const StoreOptions& options,
                                    std::shared_ptr<rocksdb::EventListener> listener) {
  const auto cache = rocksdb::NewLRUCache(options.cache_bytes);
  DatabaseOptions result;
  result.database = MakeDbOptions(options, cache);
  if (listener) result.database.listeners.push_back(std::move(listener));
  if (options.file_system) {
    result.env = rocksdb::NewCompositeEnv(options.file_system->file_system());
    result.database.env = result.env.get();
  }
  rocksdb::ColumnFamilyOptions own = BaseFamily(options);
  own.table_factory.reset(rocksdb::NewBlockBasedTableFactory(BaseTable(cache)));
  result.families.emplace_back(std::string(kOwnFamily), own);
  for (const Family family : kFamilies) {
    result.families.emplace_back(std::string(FamilyName(family)),
                                 FamilyOptions(family, options, cache));
  }
  return result;
}

}  // namespace schakel::store
