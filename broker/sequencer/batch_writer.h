// Makes applied batches durable, one after another.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/audit/checkpointer.h"
#include "broker/sequencer/lanes.h"
#include "broker/store/reserve_file.h"
#include "broker/store/state_store.h"

namespace schakel::sequencer {

// What a batch brought about, now that it is durable.
struct DurableEffects {
  std::vector<OrganisationId> wake;  // inboxes that have something new to hand over
  // Values of subjects whose consents or objections changed, each with the position that changed
  // it.
  std::vector<std::pair<Bytes, uint64_t>> changed_subjects;
  bool directory_changed = false;
  bool policy_changed = false;
  uint64_t position = 0;  // of the batch's last command
};

// Commands that the machine has run, in order: what they change and what is answered to them.
struct AppliedBatch {
  store::Batch changes;
  audit::DurableHead head;  // behind the last of them
  DurableEffects effects;
  std::vector<std::pair<Done, Result<machine::Outcome>>> answers;
};

// Thread-safe, except that only one thread hands batches over.
class BatchWriter {
 public:
  // Told of each batch, in their order, on the thread that wrote it: whether it is durable.
  using Written = std::function<void(std::shared_ptr<AppliedBatch>, const Status&)>;

  // `storage` may be null. Both must outlive this.
  BatchWriter(store::StateStore* store, store::StorageGuard* storage, Written written);
  // Finishes as Finish does.
  ~BatchWriter();
  BatchWriter(const BatchWriter&) = delete;
  BatchWriter& operator=(const BatchWriter&) = delete;

  // Writes in a thread of its own, or here. REQUIRES: the batch before is written.
  void Start(std::shared_ptr<AppliedBatch> batch);
  void WriteNow(std::shared_ptr<AppliedBatch> batch);

  // Writes what it was given, and takes no more batches.
  void Finish();

  // Writes to family `local` between two batches, also after Finish.
  Status CommitLocal(const store::Batch& batch);

 private:
  void Loop();

  store::StateStore* const store_;
  store::StorageGuard* const storage_;
  const Written written_;

  std::mutex commit_mutex_;  // one writer to the store at a time

  std::mutex mutex_;  // guards next_ and ending_
  std::condition_variable wake_;
  std::shared_ptr<AppliedBatch> next_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace schakel::sequencer
