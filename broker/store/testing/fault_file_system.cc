#include "broker/store/testing/fault_file_system.h"

#include <rocksdb/file_system.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "broker/store/file_system_handle.h"
#include "broker/store/testing/fault_disk.h"

namespace schakel::store::testing {
namespace {

using rocksdb::FileOptions;
using rocksdb::FSDirectory;
using rocksdb::FSRandomRWFile;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;
using Operation = FaultDisk::Operation;

IOStatus GateStatus(FaultDisk::Gate gate, Operation operation) {
  switch (gate) {
    case FaultDisk::Gate::kPass:
      return IOStatus::OK();
    case FaultDisk::Gate::kCut:
      return IOStatus::IOError("the power is cut");
    case FaultDisk::Gate::kFail:
      break;
  }
  return operation == Operation::kWrite ? IOStatus::NoSpace("no space left, as asked for")
                                        : IOStatus::IOError("a failed sync, as asked for");
}

IOStatus FromErrno() {
  if (errno == ENOENT) return IOStatus::PathNotFound(std::strerror(errno));
  return IOStatus::IOError(std::strerror(errno));
}

class FaultWritableFile final : public FSWritableFile {
 public:
  FaultWritableFile(std::unique_ptr<FSWritableFile> target, std::shared_ptr<FaultDisk> disk,
                    FaultDisk::FilePtr file)
      : target_(std::move(target)), disk_(std::move(disk)), file_(std::move(file)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* dbg) override {
    return Change(Operation::kWrite, [&] {
      const IOStatus status = target_->Append(data, options, dbg);
      if (status.ok()) file_->written += data.size();
      return status;
    });
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* dbg) override {
    return Append(data, options, dbg);
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options, IODebugContext* dbg) override {
    return Change(Operation::kOther, [&] {
      const IOStatus status = target_->Truncate(size, options, dbg);
      if (status.ok()) {
        file_->written = size;
        file_->synced = std::min(file_->synced, size);
      }
      return status;
    });
  }
  // Closing makes nothing durable, and works without power.
  IOStatus Close(const IOOptions& options, IODebugContext* dbg) override {
    return target_->Close(options, dbg);
  }
  IOStatus Flush(const IOOptions& options, IODebugContext* dbg) override {
    return target_->Flush(options, dbg);
  }
  // What is durable is decided here, so the real disk need not be waited for.
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return Change(Operation::kSync, [&] {
      file_->synced = file_->written;
      return IOStatus::OK();
    });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    return Sync(options, dbg);
  }
  IOStatus RangeSync(uint64_t, uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();  // a hint to the writing back, no promise
  }
  bool IsSyncThreadSafe() const override { return true; }
  uint64_t GetFileSize(const IOOptions& options, IODebugContext* dbg) override {
    return target_->GetFileSize(options, dbg);
  }

 private:
  template <typename Fn>
  IOStatus Change(Operation operation, const Fn& fn) {
    const std::lock_guard lock(disk_->mutex());
    const FaultDisk::Gate gate = disk_->Enter(operation);
    return gate == FaultDisk::Gate::kPass ? fn() : GateStatus(gate, operation);
  }

  const std::unique_ptr<FSWritableFile> target_;
  const std::shared_ptr<FaultDisk> disk_;
  const FaultDisk::FilePtr file_;
};

class FaultDirectory final : public FSDirectory {
 public:
  FaultDirectory(std::string path, std::shared_ptr<FaultDisk> disk)
      : path_(std::move(path)), disk_(std::move(disk)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(disk_->mutex());
    const FaultDisk::Gate gate = disk_->Enter(Operation::kSync);
    if (gate == FaultDisk::Gate::kPass) disk_->SyncedFolder(path_);
    return GateStatus(gate, Operation::kSync);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  const std::string path_;
  const std::shared_ptr<FaultDisk> disk_;
};

// RocksDB's info log and its lock are no data: they bypass the simulated disk.
bool IsData(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  return name.rfind("LOG", 0) != 0 && name != "LOCK";
}

class FaultFs final : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultFs(std::shared_ptr<FaultDisk> disk)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(std::move(disk)) {}
  const char* Name() const override { return "SchakelFaultFileSystem"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<FSWritableFile>* result, IODebugContext* dbg) override {
    if (!IsData(path)) return target()->NewWritableFile(path, options, result, dbg);
    return Change([&] {
      std::unique_ptr<FSWritableFile> file;
      const IOStatus status = target()->NewWritableFile(path, options, &file, dbg);
      if (status.ok()) {
        *result = std::make_unique<FaultWritableFile>(std::move(file), disk_, disk_->Created(path));
      }
      return status;
    });
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<FSWritableFile>* result,
                              IODebugContext* dbg) override {
    return Change([&] {
      std::unique_ptr<FSWritableFile> file;
      const IOStatus status = target()->ReopenWritableFile(path, options, &file, dbg);
      if (status.ok()) {
        *result = std::make_unique<FaultWritableFile>(std::move(file), disk_,
                                                      disk_->OpenedForAppend(path));
      }
      return status;
    });
  }
  IOStatus ReuseWritableFile(const std::string&, const std::string&, const FileOptions&,
                             std::unique_ptr<FSWritableFile>*, IODebugContext*) override {
    return IOStatus::NotSupported("log files are not recycled");
  }
  IOStatus NewRandomRWFile(const std::string&, const FileOptions&, std::unique_ptr<FSRandomRWFile>*,
                           IODebugContext*) override {
    return IOStatus::NotSupported("files grow at their end only");
  }
  IOStatus LinkFile(const std::string&, const std::string&, const IOOptions&,
                    IODebugContext*) override {
    return IOStatus::NotSupported("no hard links");
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions&,
                        std::unique_ptr<FSDirectory>* result, IODebugContext*) override {
    *result = std::make_unique<FaultDirectory>(path, disk_);
    return IOStatus::OK();
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options,
                      IODebugContext* dbg) override {
    if (!IsData(path)) return target()->DeleteFile(path, options, dbg);
    return Change([&] { return disk_->Delete(path) ? IOStatus::OK() : FromErrno(); });
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* dbg) override {
    if (!IsData(from)) return target()->RenameFile(from, to, options, dbg);
    return Change([&] { return disk_->Rename(from, to) ? IOStatus::OK() : FromErrno(); });
  }
  IOStatus Truncate(const std::string& path, size_t size, const IOOptions& options,
                    IODebugContext* dbg) override {
    return Change([&] {
      const IOStatus status = target()->Truncate(path, size, options, dbg);
      if (status.ok()) disk_->Truncated(path, size);
      return status;
    });
  }

 private:
  template <typename Fn>
  IOStatus Change(const Fn& fn) {
    const std::lock_guard lock(disk_->mutex());
    const FaultDisk::Gate gate = disk_->Enter(Operation::kOther);
    return gate == FaultDisk::Gate::kPass ? fn() : GateStatus(gate, Operation::kOther);
  }

  const std::shared_ptr<FaultDisk> disk_;
};

}  // namespace

FaultFileSystem::FaultFileSystem(std::filesystem::path shadow)
    : disk_(std::make_shared<FaultDisk>(std::move(shadow))),
      handle_(std::make_shared<FileSystemHandle>(std::make_shared<FaultFs>(disk_))) {}

FaultFileSystem::~FaultFileSystem() = default;

std::shared_ptr<FileSystemHandle> FaultFileSystem::handle() const { return handle_; }
void FaultFileSystem::Cut() { disk_->Cut(); }
void FaultFileSystem::CutAfter(uint64_t n) { disk_->CutAfter(n); }
bool FaultFileSystem::is_cut() const { return disk_->is_cut(); }
void FaultFileSystem::PowerOn(uint64_t seed) { disk_->PowerOn(seed); }
void FaultFileSystem::FailSync(uint64_t n) { disk_->FailSync(n); }
void FaultFileSystem::FailSyncsWhen(std::function<bool()> fails) {
  disk_->FailSyncsWhen(std::move(fails));
}
void FaultFileSystem::FailWrite(uint64_t n) { disk_->FailWrite(n); }
uint64_t FaultFileSystem::syncs() const { return disk_->syncs(); }
uint64_t FaultFileSystem::operations() const { return disk_->operations(); }

}  // namespace schakel::store::testing
