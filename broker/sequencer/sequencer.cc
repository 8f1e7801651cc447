#include "broker/sequencer/sequencer.h"

#include <future>

#include "broker/base/limits.h"
#include "broker/crypto/random.h"
#include "broker/machine/keys.h"
#include "broker/store/overlay_view.h"

namespace schakel::sequencer {

namespace {

constexpr int kGatherYieldsMax = 8;   // before one batch
constexpr size_t kGatherEnough = 64;  // commands: one sync is shared by enough

Error NotServing(const char* what) {
  Error error = MakeError(ErrorCode::kUnavailable, "NOT_SERVING", what);
  error.retry_after_ms = 1000;
  return error;
}

void Merge(DurableEffects& into, const machine::Outcome& outcome) {
  const auto& from = outcome.effects;
  into.wake.insert(into.wake.end(), from.wake.begin(), from.wake.end());
  for (const auto& subject : from.changed_subjects) {
    into.changed_subjects.emplace_back(subject, outcome.position);
  }
  into.directory_changed |= from.directory_changed;
  into.policy_changed |= from.policy_changed;
  into.timers_left |= from.timers_left;
  into.position = outcome.position;
}

}  // namespace

Error ToCaller(const Error& failure) {
  if (failure.reason == "CLOCK_DOUBTFUL") return failure;
  return NotServing("the broker has stopped writing and must be restarted");
}

Result<std::unique_ptr<Sequencer>> Sequencer::Start(store::StateStore* store,
                                                    SequencerOptions options) {
  SCHAKEL_ASSIGN(auto machine, machine::Machine::Load(store->durable()));
  SCHAKEL_ASSIGN(auto clock, ClockGuard::Start(*options.clock, Micros(machine->meta().time_us())));
  std::unique_ptr<Sequencer> sequencer(
      new Sequencer(store, options, std::move(machine), std::move(clock)));
  sequencer->answerer_ = std::thread([s = sequencer.get()] { s->AnswerLoop(); });
  sequencer->committer_ = std::thread([s = sequencer.get()] { s->CommitLoop(); });
  return sequencer;
}

Sequencer::Sequencer(store::StateStore* store, SequencerOptions options,
                     std::unique_ptr<machine::Machine> machine, ClockGuard clock)
    : store_(store),
      options_(options),
      machine_(std::move(machine)),
      clock_(std::move(clock)),
      ticks_(options.ticks) {
  head_.origin = machine_->meta().origin();
  head_.size = machine_->TreeHead().size;
  head_.root = machine_->TreeHead().root;
  head_.position = machine_->meta().position();
}

Sequencer::~Sequencer() { Stop(); }

void Sequencer::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  if (committer_.joinable()) committer_.join();
  {
    std::lock_guard lock(answer_mutex_);
    answers_end_ = true;
  }
  answer_work_.notify_all();
  if (answerer_.joinable()) answerer_.join();
}

void Sequencer::Submit(machine::Request request, std::optional<machine::Caller> caller, Done done) {
  Lane lane = LaneOf(request);
  // INVARIANT I1: shortage is decided before the write.
  if (options_.storage != nullptr) {
    auto level = options_.storage->LevelFor(0);
    if (level == store::StorageLevel::kCritical ||
        (level == store::StorageLevel::kLow && lane != Lane::kSettle)) {
      Error low = MakeError(ErrorCode::kResourceExhausted, "STORAGE_LOW",
                            "the disk is nearly full: only withdrawals and settlements are taken");
      low.retry_after_ms = 60'000;
      return done(low);
    }
  }
  Waiting waiting{std::move(request), std::move(caller), std::move(done)};
  std::optional<Error> refused;
  {
    std::lock_guard lock(mutex_);
    if (failure_) {
      refused = ToCaller(*failure_);
    } else if (stopping_) {
      refused = NotServing("the broker is stopping");
    } else if (Status pushed = lanes_.Push(lane, waiting); !pushed.ok()) {
      refused = pushed.error();
    }
  }
  if (refused) return waiting.done(*refused);
  work_.notify_one();
}

Result<machine::Outcome> Sequencer::Call(machine::Request request,
                                         std::optional<machine::Caller> caller) {
  std::promise<Result<machine::Outcome>> promise;
  auto answer = promise.get_future();
  Submit(std::move(request), std::move(caller),
         [&](Result<machine::Outcome> outcome) { promise.set_value(std::move(outcome)); });
  return answer.get();
}

bool Sequencer::TimerDue() {
  Micros wall = options_.clock->Wall();
  if (!timers_left_ && wall - last_tick_ < Micros(limits::kTickIntervalMin)) return false;
  last_tick_ = wall;
  bool due = timers_left_;
  timers_left_ = false;
  Bytes end = ByteWriter().U8('t').U64(static_cast<uint64_t>(wall.count()) + 1).Take();
  Status scanned = store_->durable().Scan(store::Family::kHot, machine::keys::TimerPrefix(), end,
                                          [&](BytesView, BytesView) {
                                            due = true;
                                            return false;
                                          });
  return scanned.ok() && due;
}

void Sequencer::Gather(std::unique_lock<std::mutex>& lock) {
  for (int i = 0; i < kGatherYieldsMax; ++i) {
    const size_t waiting = lanes_.size();
    if (waiting == 0 || waiting >= kGatherEnough || stopping_ || lanes_.urgent()) return;
    lock.unlock();
    std::this_thread::yield();
    lock.lock();
    if (lanes_.size() == waiting) return;
  }
}

void Sequencer::CommitLoop() {
  while (true) {
    std::vector<Waiting> batch;
    bool stopping = false;
    {
      std::unique_lock lock(mutex_);
      work_.wait_for(lock, limits::kTickIntervalMin, [&] { return stopping_ || !lanes_.empty(); });
      Gather(lock);
      batch = lanes_.Take(limits::kBatchCommandsMax);
      stopping = stopping_;
    }
    if (batch.empty() && stopping) return;
    // A clock in doubt ends the service also while nobody calls.
    if (auto now = clock_.Now(); !now.ok()) return Fail(now.error(), std::move(batch));
    if (ticks_ && !stopping && TimerDue()) {
      batch.insert(batch.begin(),
                   Waiting{machine::Tick{}, std::nullopt, [](const Result<machine::Outcome>&) {}});
    }
    if (batch.empty()) continue;
    auto finished = RunBatch(std::move(batch));
    if (!finished.ok()) return;
    timers_left_ |= finished->effects.timers_left;
    Publish(*std::move(finished));
  }
}

Result<Sequencer::Finished> Sequencer::RunBatch(std::vector<Waiting> waiting) {
  Finished finished;
  store::Batch batch;
  store::OverlayView view(store_->durable(), {&batch});
  auto fail = [&](Error error) {
    Fail(error, std::move(waiting));
    return error;
  };
  for (size_t i = 0; i < waiting.size(); ++i) {
    auto now = clock_.Now();
    if (!now.ok()) return fail(now.error());
    machine::Command command{std::move(waiting[i].request), std::move(waiting[i].caller), *now, {}};
    crypto::RandomFill(command.entropy.bytes);
    auto outcome = machine_->Apply(view, &batch, command);
    if (!outcome.ok()) return fail(outcome.error());
    Merge(finished.effects, *outcome);
    finished.answers.emplace_back(nullptr, *std::move(outcome));
  }
  machine_->FinishBatch(&batch);
  Status written;
  {
    std::lock_guard lock(commit_mutex_);
    written = store_->Commit(batch, machine_->meta().position());
  }
  if (!written.ok()) return fail(written.error());
  if (options_.storage != nullptr) options_.storage->Wrote(batch.bytes());
  for (size_t i = 0; i < waiting.size(); ++i)
    finished.answers[i].first = std::move(waiting[i].done);
  {
    std::lock_guard lock(mutex_);
    head_.origin = machine_->meta().origin();
    auto head = machine_->TreeHead();
    stats_.records += head.size - head_.size;
    head_.size = head.size;
    head_.root = head.root;
    head_.position = machine_->meta().position();
    stats_.commands += waiting.size();
    ++stats_.batches;
  }
  return finished;
}

void Sequencer::Fail(const Error& error, std::vector<Waiting> batch) {
  // INVARIANT I1: nothing of this batch is answered OK, nothing after it is taken.
  std::vector<Waiting> rest;
  {
    std::lock_guard lock(mutex_);
    failure_ = error;
    rest = lanes_.TakeAll();
  }
  Error told = ToCaller(error);
  if (options_.listener != nullptr) options_.listener->OnFailed(error);
  Finished finished;
  for (auto& waiting : batch) {
    if (waiting.done) finished.answers.emplace_back(std::move(waiting.done), told);
  }
  for (auto& waiting : rest) finished.answers.emplace_back(std::move(waiting.done), told);
  Publish(std::move(finished));
}

void Sequencer::Publish(Finished finished) {
  {
    std::lock_guard lock(answer_mutex_);
    answers_.push_back(std::move(finished));
  }
  answer_work_.notify_one();
}

void Sequencer::AnswerLoop() {
  while (true) {
    Finished finished;
    {
      std::unique_lock lock(answer_mutex_);
      answer_work_.wait(lock, [&] { return answers_end_ || !answers_.empty(); });
      if (answers_.empty()) return;
      finished = std::move(answers_.front());
      answers_.pop_front();
    }
    if (options_.listener != nullptr) options_.listener->OnDurable(finished.effects);
    for (auto& [done, outcome] : finished.answers) done(std::move(outcome));
  }
}

Status Sequencer::CommitLocal(const store::Batch& batch) {
  std::lock_guard lock(commit_mutex_);
  return store_->CommitLocal(batch);
}

Sequencer::DurableHead Sequencer::durable_head() const {
  std::lock_guard lock(mutex_);
  return head_;
}

std::optional<Error> Sequencer::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

SequencerStats Sequencer::stats() const {
  std::lock_guard lock(mutex_);
  SequencerStats stats = stats_;
  stats.queued = lanes_.size();
  return stats;
}

}  // namespace schakel::sequencer
