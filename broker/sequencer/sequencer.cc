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
// While a batch is written, commands are applied once so many wait: waking a thread for each would
// cost more than it wins.
constexpr size_t kApplyAheadFrom = 16;
// A batch of fewer commands is written on the applying thread: nothing is worth a change of
// threads.
constexpr size_t kWriteApartFrom = 4;

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
  sequencer->writer_.emplace(store, options.storage,
                             [s = sequencer.get()](auto batch, const Status& durable) {
                               s->OnWritten(std::move(batch), durable);
                             });
  sequencer->applier_ = std::thread([s = sequencer.get()] { s->ApplyLoop(); });
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
  if (applier_.joinable()) applier_.join();
  if (writer_) writer_->Finish();
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
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (failure_) {
      refused = ToCaller(*failure_);
    } else if (stopping_) {
      refused = NotServing("the broker is stopping");
    } else if (Status pushed = lanes_.Push(lane, waiting); !pushed.ok()) {
      refused = pushed.error();
    }
    wake = EnoughWait();
  }
  if (refused) return waiting.done(*refused);
  if (wake) work_.notify_one();
}

Result<machine::Outcome> Sequencer::Call(machine::Request request,
                                         std::optional<machine::Caller> caller) {
  std::promise<Result<machine::Outcome>> promise;
  auto answer = promise.get_future();
  Submit(std::move(request), std::move(caller),
         [&](Result<machine::Outcome> outcome) { promise.set_value(std::move(outcome)); });
  return answer.get();
}

bool Sequencer::TimerDue(const store::StateReader& view) {
  Micros wall = options_.clock->Wall();
  if (!timers_left_ && wall - last_tick_ < Micros(limits::kTickIntervalMin)) return false;
  last_tick_ = wall;
  bool due = timers_left_;
  timers_left_ = false;
  const Bytes end = machine::keys::TimersAfterPrefix(static_cast<uint64_t>(wall.count()));
  Status scanned =
      view.Scan(store::Family::kHot, machine::keys::TimerPrefix(), end, [&](BytesView, BytesView) {
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

bool Sequencer::EnoughWait() const {
  return !writing_ || lanes_.size() >= kApplyAheadFrom || lanes_.urgent();
}

bool Sequencer::MayApply() const {
  return !lanes_.empty() && open_->answers.size() < limits::kBatchCommandsMax && EnoughWait();
}

std::optional<std::vector<Waiting>> Sequencer::NextCommands() {
  std::unique_lock lock(mutex_);
  const auto room = [&] { return limits::kBatchCommandsMax - open_->answers.size(); };
  work_.wait_for(lock, limits::kTickIntervalMin, [&] {
    if (failure_ || MayApply()) return true;
    return !writing_ && (stopping_ || !open_->answers.empty());
  });
  if (failure_) return std::nullopt;
  draining_ = stopping_;
  if (!writing_) {
    below_.reset();
    Gather(lock);
    if (stopping_ && lanes_.empty() && open_->answers.empty()) return std::nullopt;
  }
  return MayApply() ? lanes_.Take(room()) : std::vector<Waiting>();
}

void Sequencer::ApplyLoop() {
  const auto unanswered = [&](std::vector<Waiting>& waiting) {
    std::vector<Done> all;
    for (auto& [done, outcome] : open_->answers) all.push_back(std::move(done));
    for (auto& command : waiting) {
      if (command.done) all.push_back(std::move(command.done));
    }
    return all;
  };
  while (auto waiting = NextCommands()) {
    // A clock in doubt ends the service also while nobody calls.
    Status applied;
    if (auto now = clock_.Now(); !now.ok()) applied = now.error();
    if (applied.ok()) applied = ApplyAll(*waiting);
    if (!applied.ok()) return Fail(applied.error(), unanswered(*waiting));
    HandOver();
  }
  std::vector<Waiting> none;
  if (auto failed = failure()) Fail(*failed, unanswered(none));
}

Status Sequencer::ApplyAll(std::vector<Waiting>& waiting) {
  std::vector<const store::Batch*> layers = {&open_->changes};
  if (below_) layers.push_back(&below_->changes);
  store::OverlayView view(store_->durable(), std::move(layers));
  if (ticks_ && !draining_ && TimerDue(view)) {
    waiting.insert(waiting.begin(),
                   Waiting{machine::Tick{}, std::nullopt, [](const Result<machine::Outcome>&) {}});
  }
  // Together: each time one asks is a system call.
  constexpr size_t kEntropyBytes = sizeof(merkle::CommandEntropy::bytes);
  const Bytes entropy = crypto::RandomBytes(waiting.size() * kEntropyBytes);
  BytesView unused = entropy;
  for (auto& [request, caller, done] : waiting) {
    SCHAKEL_ASSIGN(auto now, clock_.Now());
    machine::Command command{std::move(request), std::move(caller), now,
                             *merkle::CommandEntropy::From(unused.substr(0, kEntropyBytes))};
    unused.remove_prefix(kEntropyBytes);
    SCHAKEL_ASSIGN(auto outcome, machine_->Apply(view, &open_->changes, command));
    Merge(open_->effects, outcome);
    timers_left_ |= outcome.effects.timers_left;
    open_->answers.emplace_back(std::exchange(done, nullptr), std::move(outcome));
  }
  return {};
}

void Sequencer::HandOver() {
  if (open_->answers.empty()) return;
  {
    std::lock_guard lock(mutex_);
    if (writing_) return;
    writing_ = true;
  }
  machine_->FinishBatch(&open_->changes);
  const auto head = machine_->TreeHead();
  open_->head = {machine_->meta().origin(), head.size, head.root, machine_->meta().position()};
  auto batch = std::exchange(open_, std::make_shared<AppliedBatch>());
  below_ = batch;
  if (batch->answers.size() < kWriteApartFrom) return writer_->WriteNow(std::move(batch));
  writer_->Start(std::move(batch));
}

void Sequencer::OnWritten(std::shared_ptr<AppliedBatch> batch, const Status& durable) {
  if (!durable.ok()) {
    std::vector<Done> unanswered;
    for (auto& [done, outcome] : batch->answers) unanswered.push_back(std::move(done));
    return Fail(durable.error(), std::move(unanswered));
  }
  {
    std::lock_guard lock(mutex_);
    writing_ = false;
    stats_.records += batch->head.size - head_.size;
    head_ = batch->head;
    stats_.commands += batch->answers.size();
    ++stats_.batches;
  }
  work_.notify_one();
  Publish(std::move(batch));
}

void Sequencer::Fail(const Error& error, std::vector<Done> unanswered) {
  // INVARIANT I1: nothing of a batch that failed is answered OK, nothing after it is taken.
  std::vector<Waiting> rest;
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    first = !failure_;
    if (first) failure_ = error;
    rest = lanes_.TakeAll();
  }
  work_.notify_one();
  if (first && options_.listener != nullptr) options_.listener->OnFailed(error);
  for (auto& waiting : rest) unanswered.push_back(std::move(waiting.done));
  auto failed = std::make_shared<AppliedBatch>();
  const Error told = ToCaller(error);
  for (auto& done : unanswered) failed->answers.emplace_back(std::move(done), told);
  if (failed->answers.empty()) return;
  Publish(std::move(failed));
}

void Sequencer::Publish(std::shared_ptr<AppliedBatch> batch) {
  {
    std::lock_guard lock(answer_mutex_);
    answers_.push_back(std::move(batch));
  }
  answer_work_.notify_one();
}

void Sequencer::AnswerLoop() {
  while (true) {
    std::shared_ptr<AppliedBatch> batch;
    {
      std::unique_lock lock(answer_mutex_);
      answer_work_.wait(lock, [&] { return answers_end_ || !answers_.empty(); });
      if (answers_.empty()) return;
      batch = std::move(answers_.front());
      answers_.pop_front();
    }
    if (options_.listener != nullptr) options_.listener->OnDurable(batch->effects);
    for (auto& [done, outcome] : batch->answers) done(std::move(outcome));
  }
}

Status Sequencer::CommitLocal(const store::Batch& batch) { return writer_->CommitLocal(batch); }

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
