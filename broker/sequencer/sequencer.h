// Gives commands their order, applies them in batches, writes each batch once, syncs once, and only
// then answers (group commit).
//
// Words: a command is *ordered* when it has its position, *applied* when the machine has run it,
// *durable* when its batch was synced. Answers and effects follow durability (I2).
//
// Three threads: one applies, one writes, one answers. While a batch is written, the next is
// applied on top of it; that one is written when the first is durable, never before.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "broker/base/clock.h"
#include "broker/machine/machine.h"
#include "broker/sequencer/batch_writer.h"
#include "broker/sequencer/clock_guard.h"

namespace schakel::sequencer {

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

  void ApplyLoop();
  void AnswerLoop();
  // What to apply now: nothing while it is better to let commands gather. nullopt: it is time to
  // end. Waits while there is nothing to do.
  std::optional<std::vector<Waiting>> NextCommands();
  // Whether what waits is worth being applied now. mutex_ held.
  bool EnoughWait() const;
  // Whether something that waits is applied now. Of the applying thread, mutex_ held.
  bool MayApply() const;
  // Lets threads that are ready to run, and may bring commands, run before the batch is taken: then
  // one sync serves more. Goes on at once when nothing else can run, nothing came, or something
  // urgent waits. mutex_ held, and let go meanwhile.
  void Gather(std::unique_lock<std::mutex>& lock);
  // Applies commands into open_. An Error: the sequencer must fail (I1); what is left in `waiting`
  // was not applied.
  Status ApplyAll(std::vector<Waiting>& waiting);
  // Closes open_ and has it written, unless another is written.
  void HandOver();
  void OnWritten(std::shared_ptr<AppliedBatch> batch, const Status& durable);
  bool TimerDue(const store::StateReader& view);
  // Ends the service: nothing of what is given, and nothing that waits, is answered OK.
  void Fail(const Error& error, std::vector<Done> unanswered);
  void Publish(std::shared_ptr<AppliedBatch> batch);

  store::StateStore* const store_;
  const SequencerOptions options_;
  // Of the applying thread alone.
  std::unique_ptr<machine::Machine> machine_;
  ClockGuard clock_;
  std::atomic<bool> ticks_;
  Micros last_tick_{0};
  bool timers_left_ = false;
  bool draining_ = false;  // takes no more, as far as it knows
  std::shared_ptr<AppliedBatch> open_ = std::make_shared<AppliedBatch>();
  std::shared_ptr<const AppliedBatch> below_;  // what open_ stands on; null: durable

  mutable std::mutex mutex_;  // guards lanes_, writing_, stopping_, failure_, head_, stats_
  std::condition_variable work_;
  Lanes lanes_;
  bool writing_ = false;  // below_ is not durable yet
  bool stopping_ = false;
  std::optional<Error> failure_;
  DurableHead head_;
  SequencerStats stats_;

  std::mutex answer_mutex_;
  std::condition_variable answer_work_;
  std::deque<std::shared_ptr<AppliedBatch>> answers_;
  bool answers_end_ = false;

  std::optional<BatchWriter> writer_;
  std::thread applier_;
  std::thread answerer_;
};

}  // namespace schakel::sequencer
