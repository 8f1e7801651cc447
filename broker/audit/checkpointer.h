// INVARIANT I8: each second in which the tree grew, the head goes to the head store first; only
// then a checkpoint over it is signed and kept.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "broker/crypto/sign.h"
#include "broker/store/head_store.h"
#include "broker/store/write_batch.h"

namespace schakel::audit {

// Head of the tree and position that are durable.
struct DurableHead {
  std::string origin;
  uint64_t size = 0;
  Digest root;
  uint64_t position = 0;
};

// The log whose heads are signed. Both may be called from any thread.
struct SignedLog {
  std::function<DurableHead()> durable_head;
  std::function<Status(const store::Batch&)> commit_local;  // family `local` only
};

// Thread-safe.
class Checkpointer {
 public:
  // REQUIRES: `head` is what the head store holds and the log holds it too. All, and what the
  // log's functions use, must outlive this.
  Checkpointer(SignedLog log, store::HeadStore* heads, const crypto::SigningKey* log_key,
               std::optional<store::Head> head);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // Starts the thread that calls SignNow each second.
  void Start();
  void Stop();
  // Signs what is durable now, if it grew. HEAD_MISMATCH, HEAD_IO: nothing was signed.
  Status SignNow();
  // The last signed checkpoint; empty when there is none.
  std::string last() const;

 private:
  const SignedLog log_;
  store::HeadStore* const heads_;
  const crypto::SigningKey* const log_key_;
  std::mutex sign_mutex_;
  std::optional<store::Head> head_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::string last_;
  std::thread thread_;
};

}  // namespace schakel::audit
