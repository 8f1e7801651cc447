// INVARIANT I8: each second in which the tree grew, the head goes to the head store first; only then
// a checkpoint over it is signed and kept.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "broker/crypto/sign.h"
#include "broker/sequencer/sequencer.h"
#include "broker/store/head_store.h"

namespace schakel::sequencer {

// Thread-safe.
class Checkpointer {
 public:
  // REQUIRES: `head` is what the head store holds and the log holds it too. All must outlive this.
  Checkpointer(Sequencer* sequencer, store::HeadStore* heads, const crypto::SigningKey* log_key,
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
  Sequencer* const sequencer_;
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

}  // namespace schakel::sequencer
