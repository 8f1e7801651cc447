// Gives commands their order, applies them in batches, writes each batch once, syncs once, and only
// then answers (group commit).
//
// Words: a command is *ordered* when it has its position, *applied* when the machine has run it,
// *durable* when its batch was synced. Answers and effects follow durability (I2).
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "broker/audit/checkpointer.h"
#include "broker/base/clock.h"
#include "broker/machine/machine.h"
#include "broker/sequencer/clock_guard.h"
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
  bool timers_left = false;
  uint64_t position = 0;  // of the batch's last command
};

// Told what has become durable, before the answers of the same batch, on the answering thread. Must
// not block.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void OnDurable(const DurableEffects& effects) = 0;
  // Once: the broker can take no more commands until it is started anew.
  virtual void OnFailed(const Error& error) = 0;
};

struct SequencerOptions {
  const Clock* clock = nullptr;            // REQUIRES: set
  store::StorageGuard* storage = nullptr;  // null: never low
  Listener* listener = nullptr;            // null: nobody
  bool ticks = true;                       // whether it issues ticks from the start on
};

struct SequencerStats {
  uint64_t commands = 0;
  uint64_t batches = 0;
  uint64_t records = 0;
  uint64_t queued = 0;
};

// What callers are told of the error that ended the service.
Error ToCaller(const Error& failure);

// Thread-safe.
class Sequencer {
 public:
  // Loads the machine and starts the threads. CLOCK_DOUBTFUL, DATA_LOSS, MACHINE_VERSION_UNKNOWN.
  // The store must outlive the sequencer.
  static Result<std::unique_ptr<Sequencer>> Start(store::StateStore* store,
                                                  SequencerOptions options);
  // Stops as Stop does.
  ~Sequencer();
  Sequencer(const Sequencer&) = delete;
  Sequencer& operator=(const Sequencer&) = delete;

  // Hands a command over. `done` is called exactly once, on the answering thread or, when it is
  // refused at once (QUEUE_FULL, STORAGE_LOW, NOT_SERVING), on this one.
  void Submit(machine::Request request, std::optional<machine::Caller> caller, Done done);
  // The same, and waits.
  Result<machine::Outcome> Call(machine::Request request, std::optional<machine::Caller> caller);

  // From now on it issues ticks.
  void StartTicks() { ticks_ = true; }

  // Takes no more, finishes what waits, ends the threads. NOT_SERVING for what comes later.
  void Stop();

  // Writes to family `local` between two batches.
  Status CommitLocal(const store::Batch& batch);
  // Head of the tree and position that are durable.
  using DurableHead = audit::DurableHead;
  DurableHead durable_head() const;
  std::optional<Error> failure() const;
  SequencerStats stats() const;

 private:
  Sequencer(store::StateStore* store, SequencerOptions options,
            std::unique_ptr<machine::Machine> machine, ClockGuard clock);

  struct Finished {
    std::vector<std::pair<Done, Result<machine::Outcome>>> answers;
    DurableEffects effects;
  };

  void CommitLoop();
  // Lets threads that are ready to run, and may bring commands, run before the batch is taken: then
  // one sync serves more. Goes on at once when nothing else can run, nothing came, or something
  // urgent waits. mutex_ held, and let go meanwhile.
  void Gather(std::unique_lock<std::mutex>& lock);
  void AnswerLoop();
  // Applies and writes one batch. An Error: the sequencer has failed (I1).
  Result<Finished> RunBatch(std::vector<Waiting> batch);
  bool TimerDue();
  void Fail(const Error& error, std::vector<Waiting> batch);
  void Publish(Finished finished);

  store::StateStore* const store_;
  const SequencerOptions options_;
  // Of the committing thread alone.
  std::unique_ptr<machine::Machine> machine_;
  ClockGuard clock_;
  std::atomic<bool> ticks_;
  Micros last_tick_{0};
  bool timers_left_ = false;

  mutable std::mutex mutex_;  // guards lanes_, stopping_, failure_, head_, stats_
  std::condition_variable work_;
  Lanes lanes_;
  bool stopping_ = false;
  std::optional<Error> failure_;
  DurableHead head_;
  SequencerStats stats_;

  std::mutex commit_mutex_;  // one writer to the store at a time

  std::mutex answer_mutex_;
  std::condition_variable answer_work_;
  std::deque<Finished> answers_;
  bool answers_end_ = false;

  std::thread committer_;
  std::thread answerer_;
};

}  // namespace schakel::sequencer
