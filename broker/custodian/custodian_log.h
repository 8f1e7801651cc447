// The custodian's own log: who asked, for how many evaluations, and when. For whom it can't know.
// Same records, tree and commitments as the broker's log (proto/ENVELOPE.md, Log), so that the same
// verifier proves it. Keys on disk: FORMAT.md.
//
// INVARIANT I1: a record and the changes that it tells of are in one synced write.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "broker/audit/checkpointer.h"
#include "broker/audit/log_tree.h"
#include "broker/base/clock.h"
#include "broker/base/result.h"
#include "broker/custodian/requester.h"
#include "broker/store/state_store.h"
#include "schakel/state/v1/state.pb.h"
#include "schakel/v1/record.pb.h"

namespace schakel::custodian {

// Version of what the custodian's records mean, in its genesis record.
inline constexpr uint64_t kLogVersion = 1;

// A record of that kind about somebody's call.
v1::Record RecordAbout(v1::RecordKind kind, const Requester& requester);

// Thread-safe. The only one to commit to its store.
class CustodianLog {
 public:
  // What a log is called and signed with.
  struct Name {
    std::string origin;   // <region>/custodian/<number>
    std::string region;   // domain name
    std::string log_key;  // verifier key, as C2SP signed-note writes it
  };

  // Goes on with the log that `store` holds, which must outlive the object. Errors: LOG_MISSING
  // when there is none, LOG_VERSION_UNKNOWN; DATA_LOSS when tree, records and place do not agree.
  static Result<std::unique_ptr<CustodianLog>> Open(store::StateStore& store);
  // Begins a log in a store that has none (LOG_EXISTS); `genesis` becomes record 0.
  static Result<std::unique_ptr<CustodianLog>> Begin(store::StateStore& store, Name name,
                                                     v1::Record genesis, Micros now);
  // Goes on under another name; `record` is the first under it.
  Status Rename(Name name, v1::Record record, Micros now);

  // Completes `record` (index, position, time, event id) and writes it together with `changes`, in
  // one synced write, after the notes that wait. Durable when it returns OK. Waits for the disk. An
  // Error means that nothing may follow from it; after one of them every later call fails as well.
  Result<v1::LogReceipt> Append(store::Batch changes, v1::Record record, Micros now);
  // A record that comes with the next write, at the latest with the next Flush. Never waits.
  void Note(v1::Record record, Micros now);
  // Writes the notes that wait, if any.
  Status Flush();

  // Family `local` only; not synced.
  Status CommitLocal(const store::Batch& batch) { return store_.CommitLocal(batch); }
  audit::DurableHead durable_head() const;
  // What a checkpointer signs.
  audit::SignedLog Signed();
  // As it is durable.
  state::v1::Meta meta() const;

 private:
  struct Noted {
    v1::Record record;
    Micros time;
  };

  CustodianLog(store::StateStore& store, state::v1::Meta meta, audit::LogTree tree);
  Result<v1::LogReceipt> Write(store::Batch batch, state::v1::Meta meta,
                               std::optional<Noted> last);  // append_mutex_ held

  store::StateStore& store_;
  std::mutex append_mutex_;  // held during a write; taken first; guards tree_ and broken_
  audit::LogTree tree_;
  std::optional<Error> broken_;
  mutable std::mutex mutex_;  // guards what follows; never held while something is written
  state::v1::Meta meta_;
  audit::DurableHead head_;
  std::deque<Noted> notes_;
};

}  // namespace schakel::custodian
