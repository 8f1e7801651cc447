#include "broker/audit/checkpointer.h"

#include "broker/audit/keys.h"
#include "broker/base/limits.h"
#include "broker/merkle/checkpoint.h"

namespace schakel::audit {

Checkpointer::Checkpointer(SignedLog log, store::HeadStore* heads,
                           const crypto::SigningKey* log_key, std::optional<store::Head> head)
    : log_(std::move(log)), heads_(heads), log_key_(log_key), head_(std::move(head)) {}

Checkpointer::~Checkpointer() { Stop(); }

void Checkpointer::Start() {
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      // A failure is tried again: without a head there is no checkpoint, which readers notice.
      Status signed_now = SignNow();
      static_cast<void>(signed_now.ok());
      lock.lock();
      wake_.wait_for(lock, limits::kHeadInterval, [&] { return stopping_; });
    }
  });
}

void Checkpointer::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Status Checkpointer::SignNow() {
  std::lock_guard lock(sign_mutex_);
  auto durable = log_.durable_head();
  if (durable.size == 0) return {};
  bool grew = !head_ || head_->size != durable.size || head_->origin != durable.origin;
  {
    std::lock_guard last_lock(mutex_);
    if (!grew && !last_.empty()) return {};
  }
  if (grew) {
    store::Head next{durable.origin, durable.size, durable.root, durable.position};
    SCHAKEL_TRY(heads_->CompareAndSwap(head_, next));
    head_ = next;
  }
  merkle::Checkpoint checkpoint{durable.origin, {durable.size, durable.root}};
  SCHAKEL_ASSIGN(auto note, merkle::SignCheckpoint(checkpoint, *log_key_));
  store::Batch batch;
  batch.Put(store::Family::kLocal, keys::Checkpoint(), note);
  SCHAKEL_TRY(log_.commit_local(batch));
  std::lock_guard last_lock(mutex_);
  last_ = std::move(note);
  return {};
}

std::string Checkpointer::last() const {
  std::lock_guard lock(mutex_);
  return last_;
}

}  // namespace schakel::audit
