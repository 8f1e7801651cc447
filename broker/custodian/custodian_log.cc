#include "broker/custodian/custodian_log.h"

#include <algorithm>
#include <vector>

#include "broker/audit/keys.h"
#include "broker/audit/log_reader.h"
#include "broker/base/limits.h"
#include "broker/crypto/random.h"
#include "broker/merkle/entry.h"

namespace schakel::custodian {
namespace {

using store::Family;

uint64_t MicrosOf(Micros time) { return static_cast<uint64_t>(std::max<int64_t>(time.count(), 0)); }

Error Broken(const Error& cause) {
  return MakeError(ErrorCode::kUnavailable, "STORE_FAILED",
                   "an earlier write to the log failed: " + cause.message);
}

}  // namespace

v1::Record RecordAbout(v1::RecordKind kind, const Requester& requester) {
  v1::Record record;
  record.set_kind(kind);
  record.set_organisation(requester.organisation.str());
  record.set_actor(requester.actor);
  record.set_actor_role(requester.actor_role);
  record.set_trace_id(requester.trace_id);
  return record;
}

CustodianLog::CustodianLog(store::StateStore& store, state::v1::Meta meta, audit::LogTree tree)
    : store_(store), tree_(std::move(tree)), meta_(std::move(meta)) {
  const auto head = tree_.Head();
  head_ = {meta_.origin(), head.size, head.root, meta_.position()};
}

Result<std::unique_ptr<CustodianLog>> CustodianLog::Open(store::StateStore& store) {
  SCHAKEL_ASSIGN(auto meta, audit::ReadMeta(store.durable()));
  if (!meta) {
    return MakeError(ErrorCode::kFailedPrecondition, "LOG_MISSING",
                     "the data folder holds no log; run schakel-custodian init");
  }
  if (meta->machine_version() != kLogVersion) {
    return MakeError(ErrorCode::kFailedPrecondition, "LOG_VERSION_UNKNOWN",
                     "the log was written by another version (" +
                         std::to_string(meta->machine_version()) + "); use that one");
  }
  SCHAKEL_ASSIGN(auto tree, audit::LogTree::Load(store.durable(), meta->tree_size()));
  return std::unique_ptr<CustodianLog>(new CustodianLog(store, *std::move(meta), std::move(tree)));
}

Result<std::unique_ptr<CustodianLog>> CustodianLog::Begin(store::StateStore& store, Name name,
                                                          v1::Record genesis, Micros now) {
  SCHAKEL_ASSIGN(const auto there, audit::ReadMeta(store.durable()));
  if (there) {
    return MakeError(ErrorCode::kFailedPrecondition, "LOG_EXISTS",
                     "the data folder holds a log already");
  }
  state::v1::Meta nothing;
  nothing.set_machine_version(kLogVersion);
  std::unique_ptr<CustodianLog> log(new CustodianLog(store, nothing, {}));
  SCHAKEL_TRY(log->Rename(std::move(name), std::move(genesis), now));
  return log;
}

Status CustodianLog::Rename(Name name, v1::Record record, Micros now) {
  const std::lock_guard writing(append_mutex_);
  state::v1::Meta renamed = meta();
  renamed.set_origin(std::move(name.origin));
  renamed.set_region(std::move(name.region));
  renamed.set_log_key(std::move(name.log_key));
  auto written = Write({}, std::move(renamed), Noted{std::move(record), now});
  return written.ok() ? Status() : Status(written.error());
}

Result<v1::LogReceipt> CustodianLog::Append(store::Batch changes, v1::Record record, Micros now) {
  const std::lock_guard writing(append_mutex_);
  return Write(std::move(changes), meta(), Noted{std::move(record), now});
}

void CustodianLog::Note(v1::Record record, Micros now) {
  const std::lock_guard lock(mutex_);
  notes_.push_back({std::move(record), now});
}

Status CustodianLog::Flush() {
  const std::lock_guard writing(append_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (notes_.empty()) return {};
  }
  auto written = Write({}, meta(), std::nullopt);
  return written.ok() ? Status() : Status(written.error());
}

Result<v1::LogReceipt> CustodianLog::Write(store::Batch batch, state::v1::Meta meta,
                                           std::optional<Noted> last) {
  if (broken_) return Broken(*broken_);
  std::vector<Noted> records;
  {
    const std::lock_guard lock(mutex_);
    while (!notes_.empty() && records.size() < limits::kCustodianNotesPerWriteMax) {
      records.push_back(std::move(notes_.front()));
      notes_.pop_front();
    }
  }
  if (last) records.push_back(*std::move(last));

  // Fresh for each write and not kept: it serves what proto/ENVELOPE.md derives from it.
  merkle::CommandEntropy entropy;
  crypto::RandomFill(entropy.bytes);
  meta.set_position(store_.position() + 1);
  v1::LogReceipt receipt;
  uint16_t number = 0;
  for (Noted& each : records) {
    v1::Record& record = each.record;
    // Time never goes back within a log, whatever the clock does.
    meta.set_time_us(std::max(meta.time_us(), MicrosOf(each.time)));
    record.set_index(meta.tree_size());
    record.set_position(meta.position());
    record.set_time_us(meta.time_us());
    record.set_event_id(merkle::EventIdOf(entropy, number).str());
    const auto salt = merkle::RecordSaltOf(entropy, number);
    const Bytes bytes = record.SerializeAsString();
    const Digest entry = merkle::EntryOf(salt, bytes);
    state::v1::StoredRecord stored;
    stored.set_entry(entry.str());
    stored.set_salt(salt.str());
    stored.set_record(bytes);
    batch.Put(Family::kRecords, audit::keys::Record(meta.tree_size()), stored.SerializeAsString());
    tree_.Append(entry, &batch);
    receipt.set_position(meta.position());
    receipt.set_index(meta.tree_size());
    receipt.set_record(bytes);
    receipt.set_salt(salt.str());
    meta.set_tree_size(meta.tree_size() + 1);
    ++number;
  }
  tree_.WriteFrontier(&batch);
  batch.Put(Family::kHot, audit::keys::Meta(), meta.SerializeAsString());
  // INVARIANT I1: records, their tree nodes, the place and the changes in one synced write.
  Status committed = store_.Commit(batch, meta.position());
  if (!committed.ok()) {
    // The tree in memory is ahead of the disk: nothing may be written on top of it.
    broken_ = committed.error();
    return committed.error();
  }
  const auto head = tree_.Head();
  const std::lock_guard lock(mutex_);
  meta_ = std::move(meta);
  head_ = {meta_.origin(), head.size, head.root, meta_.position()};
  return receipt;
}

audit::DurableHead CustodianLog::durable_head() const {
  const std::lock_guard lock(mutex_);
  return head_;
}

audit::SignedLog CustodianLog::Signed() {
  return {[this] { return durable_head(); },
          [this](const store::Batch& batch) { return CommitLocal(batch); }};
}

state::v1::Meta CustodianLog::meta() const {
  const std::lock_guard lock(mutex_);
  return meta_;
}

}  // namespace schakel::custodian
