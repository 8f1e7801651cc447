#include "clients/sdk/audit_client.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "broker/base/limits.h"
#include "broker/merkle/entry.h"
#include "clients/sdk/files.h"
#include "clients/sdk/inbox_client.h"
#include "clients/sdk/tlog_tiles.h"

namespace schakel::sdk {
namespace {

using std::chrono::steady_clock;

// A file that is written piece by piece and gets its name when it is whole.
class PartFile {
 public:
  explicit PartFile(std::filesystem::path path) : path_(std::move(path)), part_(path_) {
    part_ += ".part";
    descriptor_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  }
  ~PartFile() {
    if (descriptor_ < 0) return;
    ::close(descriptor_);
    ::unlink(part_.c_str());
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  Status Write(BytesView bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Failed();
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return {};
  }
  Status Finish() {
    if (::fsync(descriptor_) != 0 || ::rename(part_.c_str(), path_.c_str()) != 0) return Failed();
    ::close(descriptor_);
    descriptor_ = -1;
    return {};
  }
  bool open() const { return descriptor_ >= 0; }
  Error Failed() const {
    return MakeError(ErrorCode::kFailedPrecondition, "FILE_FAILED",
                     "can't write " + part_.string() + ": " + std::strerror(errno), path_.string());
  }

 private:
  std::filesystem::path path_;
  std::filesystem::path part_;
  int descriptor_ = -1;
};

// Adds what one page summed up to what the pages before it did.
void AddSum(const v1::SweptSum& sum, google::protobuf::RepeatedPtrField<v1::SweptSum>* all) {
  const auto same = std::find_if(all->begin(), all->end(), [&](const v1::SweptSum& known) {
    return known.swept() == sum.swept() && known.kind() == sum.kind() &&
           known.rule() == sum.rule() && known.bundle_digest() == sum.bundle_digest();
  });
  if (same == all->end()) {
    *all->Add() = sum;
    return;
  }
  same->set_count(same->count() + sum.count());
  same->set_sweeps(same->sweeps() + sum.sweeps());
  *same->mutable_last() = sum.last();
  same->set_last_index(sum.last_index());
}

}  // namespace

AuditClient::AuditClient(std::shared_ptr<Connection> connection, CheckpointMemory& memory)
    : AuditClient(BrokerLog(std::move(connection)), memory) {}

AuditClient::AuditClient(std::unique_ptr<LogApi> log, CheckpointMemory& memory)
    : log_(std::move(log)), memory_(memory) {}

Result<v1::QueryRecordsResponse> AuditClient::Query(v1::QueryRecordsRequest request) {
  if (request.request_id().empty()) request.set_request_id(NewRequestId().str());
  return log_->Query(request);
}

Status AuditClient::QueryAll(v1::QueryRecordsRequest request,
                             const std::function<bool(const v1::QueryRecordsResponse&)>& each) {
  do {
    request.set_request_id(NewRequestId().str());
    SCHAKEL_ASSIGN(const auto response, Query(request));
    if (!each(response)) return {};
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return {};
}

Result<v1::SubjectReportResponse> AuditClient::SubjectReport(v1::SubjectReportRequest request) {
  if (request.request_id().empty()) request.set_request_id(NewRequestId().str());
  return log_->SubjectReport(request);
}

Result<v1::SubjectReportResponse> AuditClient::SubjectReportAll(v1::SubjectReportRequest request) {
  v1::SubjectReportResponse all;
  do {
    request.set_request_id(NewRequestId().str());
    SCHAKEL_ASSIGN(auto page, SubjectReport(request));
    for (auto& entry : *page.mutable_entries()) all.add_entries()->Swap(&entry);
    *all.mutable_receipt() = page.receipt();
    *all.mutable_destroyed() = page.destroyed();
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

Result<std::optional<v1::AuditedRecord>> AuditClient::RecordAt(uint64_t index) {
  v1::QueryRecordsRequest request;
  request.mutable_filter()->set_index(index);
  request.set_page_size(1);
  SCHAKEL_ASSIGN(const auto page, Query(std::move(request)));
  if (page.records_size() != 1 || page.records(0).index() != index) {
    return std::optional<v1::AuditedRecord>();
  }
  return std::optional(page.records(0));
}

Result<v1::GetStateAtResponse> AuditClient::StateAt(v1::GetStateAtRequest request) {
  if (request.request_id().empty()) request.set_request_id(NewRequestId().str());
  return log_->StateAt(request);
}

Result<v1::GetStateAtResponse> AuditClient::StateAtAll(v1::GetStateAtRequest request,
                                                       uint64_t rows_max) {
  constexpr uint64_t kPage = limits::kPageSizeMax;
  v1::GetStateAtResponse all;
  uint64_t rows = 0;
  do {
    request.set_request_id(NewRequestId().str());
    const uint64_t wanted = rows_max == 0 ? kPage : std::min(kPage, rows_max - rows);
    request.set_page_size(static_cast<uint32_t>(wanted));
    SCHAKEL_ASSIGN(auto page, StateAt(request));
    for (auto& entry : *page.mutable_organisations()) all.add_organisations()->Swap(&entry);
    for (auto& statement : *page.mutable_statements()) all.add_statements()->Swap(&statement);
    for (const auto& sum : page.swept()) AddSum(sum, all.mutable_swept());
    rows = static_cast<uint64_t>(all.organisations_size()) +
           static_cast<uint64_t>(all.statements_size()) + static_cast<uint64_t>(all.swept_size());
    page.clear_organisations();
    page.clear_statements();
    page.clear_swept();
    request.set_page_token(page.next_page_token());
    all.clear_next_page_token();
    all.MergeFrom(page);
  } while (!request.page_token().empty() && (rows_max == 0 || rows < rows_max));
  return all;
}

Result<CheckpointLook> AuditClient::Checkpoint() {
  SCHAKEL_ASSIGN(const auto response, log_->Checkpoint());
  return memory_.Look(response.checkpoint(),
                      [&](uint64_t first, uint64_t second) -> Result<merkle::Path> {
                        v1::GetConsistencyProofRequest request;
                        request.set_first_size(first);
                        request.set_second_size(second);
                        SCHAKEL_ASSIGN(const auto proof, log_->ConsistencyProof(request));
                        return merkle::PathFrom(proof.path());
                      });
}

Result<ProvenRecord> AuditClient::ProveEntry(uint64_t index, const Digest* expected) {
  const auto deadline = steady_clock::now() + log_->connection().options().timeout;
  SCHAKEL_ASSIGN(auto look, Checkpoint());
  // Heads are signed at most once a second, so a fresh record waits for its checkpoint.
  while (look.checkpoint.head.size <= index) {
    if (steady_clock::now() >= deadline) {
      return MakeError(ErrorCode::kDeadlineExceeded, "POSITION_NOT_REACHED",
                       "the log's last checkpoint has size " +
                           std::to_string(look.checkpoint.head.size) +
                           " and does not cover index " + std::to_string(index));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    SCHAKEL_ASSIGN(look, Checkpoint());
  }
  v1::GetInclusionProofRequest request;
  request.set_index(index);
  request.set_tree_size(look.checkpoint.head.size);
  SCHAKEL_ASSIGN(const auto response, log_->InclusionProof(request));
  const auto entry = Digest::From(response.entry());
  if (!entry || (expected != nullptr && *entry != *expected)) {
    return MakeError(ErrorCode::kDataLoss, "COMMITMENT_MISMATCH",
                     "the log holds another record at index " + std::to_string(index),
                     std::to_string(index));
  }
  SCHAKEL_ASSIGN(auto path, merkle::PathFrom(response.path()));
  SCHAKEL_TRY(merkle::VerifyInclusion(index, merkle::LeafHash(*entry), path, look.checkpoint.head));
  merkle::ProofBundle proof{std::nullopt, index, std::move(path), look.note};
  return ProvenRecord{std::move(look), std::move(proof), *entry};
}

Result<ProvenRecord> AuditClient::Prove(const v1::LogReceipt& receipt) {
  const auto salt = merkle::RecordSalt::From(receipt.salt());
  if (!salt) return InvalidArgument("FIELD_INVALID", "salt", "a salt has 16 bytes");
  const Digest entry = merkle::EntryOf(*salt, receipt.record());
  return ProveEntry(receipt.index(), &entry);
}

Result<ProvenRecord> AuditClient::ProveIndex(uint64_t index) { return ProveEntry(index, nullptr); }

Status AuditClient::Export(const v1::ExportRequest& request, const std::filesystem::path& file,
                           const Progress& progress) {
  PartFile part(file);
  if (!part.open()) return part.Failed();
  v1::ExportRequest with_id = request;
  if (with_id.request_id().empty()) with_id.set_request_id(NewRequestId().str());
  uint64_t done = 0;
  bool whole = false;
  const Status read = log_->Export(with_id, [&](const v1::ExportResponse& piece) -> Status {
    SCHAKEL_TRY(part.Write(piece.frames()));
    SCHAKEL_TRY(part.Write(piece.checkpoint()));
    whole = whole || !piece.checkpoint().empty();
    done += piece.frames().size();
    if (progress) progress(done, 0);
    return {};
  });
  if (!read.ok()) return read;
  if (!whole) {
    return MakeError(ErrorCode::kDataLoss, "EXPORT_MALFORMED",
                     "the export ended without a checkpoint");
  }
  return part.Finish();
}

Result<CheckpointLook> AuditClient::ExportTiles(const std::filesystem::path& folder,
                                                const Progress& progress) {
  SCHAKEL_ASSIGN(auto look, Checkpoint());
  SCHAKEL_ASSIGN(auto tiles, TilesFolder::Open(folder));
  const uint64_t size = look.checkpoint.head.size;
  while (tiles.entries() < size) {
    const uint64_t left = size - tiles.entries();
    const uint32_t width = left < merkle::kTileWidth ? static_cast<uint32_t>(left) : 0;
    v1::GetTileRequest request;
    request.set_index(tiles.entries() / merkle::kTileWidth);
    request.set_width(width);
    request.set_entries(true);
    SCHAKEL_ASSIGN(const auto response, log_->Tile(request));
    SCHAKEL_ASSIGN(
        const auto entries,
        merkle::ParseEntryBundle(response.tile(), width == 0 ? merkle::kTileWidth : width));
    for (const BytesView raw : entries) {
      const auto entry = Digest::From(raw);
      if (!entry) {
        return MakeError(ErrorCode::kDataLoss, "TILE_MALFORMED", "an entry has 32 bytes");
      }
      SCHAKEL_TRY(tiles.Add(*entry));
    }
    if (progress) progress(tiles.entries(), size);
  }
  SCHAKEL_ASSIGN(const auto written, tiles.Finish(look.note, memory_.key()));
  return look;
}

}  // namespace schakel::sdk
