#include "broker/sequencer/batch_writer.h"

namespace schakel::sequencer {

BatchWriter::BatchWriter(store::StateStore* store, store::StorageGuard* storage, Written written)
    : store_(store), storage_(storage), written_(std::move(written)), thread_([this] { Loop(); }) {}

BatchWriter::~BatchWriter() { Finish(); }

void BatchWriter::Finish() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void BatchWriter::Start(std::shared_ptr<AppliedBatch> batch) {
  {
    const std::lock_guard lock(mutex_);
    next_ = std::move(batch);
  }
  wake_.notify_one();
}

void BatchWriter::WriteNow(std::shared_ptr<AppliedBatch> batch) {
  Status durable;
  {
    const std::lock_guard lock(commit_mutex_);
    durable = store_->Commit(batch->changes, batch->head.position);
  }
  if (durable.ok() && storage_ != nullptr) storage_->Wrote(batch->changes.bytes());
  written_(std::move(batch), durable);
}

Status BatchWriter::CommitLocal(const store::Batch& batch) {
  const std::lock_guard lock(commit_mutex_);
  return store_->CommitLocal(batch);
}

void BatchWriter::Loop() {
  while (true) {
    std::shared_ptr<AppliedBatch> batch;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return ending_ || next_ != nullptr; });
      if (next_ == nullptr) return;
      batch = std::move(next_);
    }
    WriteNow(std::move(batch));
  }
}

}  // namespace schakel::sequencer
