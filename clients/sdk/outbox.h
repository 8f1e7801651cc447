// What is sent, kept on disk before it is sent: so that a retry sends the same bytes, and a signal
// is never sealed twice under one id.
//
//   <folder>/                  mode 0700
//     <signal id as UUID>      schakel.client.v1.OutboxEntry, 0600
//     keys/<hex of H(key)>     schakel.client.v1.OutboxKey: which signal the caller's key stands
//     for .secret                  32 random bytes: key of input digests .lock
// A key file is written before its entry, and an entry before its first send. So after a kill at
// any moment a key that points to no entry is free, and an entry without an answer is sent again.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "clients/sdk/composer.h"
#include "clients/sdk/signal_draft.h"
#include "schakel/client/v1/state.pb.h"

namespace schakel::sdk {

// Safe between processes; not thread-safe.
class Outbox {
 public:
  static Result<Outbox> Open(std::filesystem::path folder);

  // What a signal is made from, as a digest under this outbox's own secret.
  Digest InputDigest(const SignalDraft& draft) const;

  // The entry that `key` stands for; nullopt when the key is free: never used, its entry was
  // purged, or it failed. Errors: FAILED_PRECONDITION KEY_REUSED when it was made from other input.
  Result<std::optional<client::v1::OutboxEntry>> FindByKey(const std::string& key,
                                                           const Digest& input) const;

  // Writes the signal; durable on return. `key` may be empty. Another process may have used the key
  // meanwhile: then its entry is returned and this signal is dropped, unsent; the caller goes on
  // with the entry that is returned. Errors: KEY_REUSED.
  Result<client::v1::OutboxEntry> Prepare(const ComposedSignal& signal, const std::string& key,
                                          const Digest& input);

  // Takes the broker's answer. Accepted: the sealed bytes are dropped. Refused as too old: failed,
  // dropped too. Any other refusal is kept beside the bytes, which may be sent again. Returns the
  // entry as it now stands. NOT_FOUND when there is none.
  Result<client::v1::OutboxEntry> Settle(const SignalId& id, const v1::PublishResult& answer);

  // NOT_FOUND when there is none.
  Result<client::v1::OutboxEntry> Get(const SignalId& id) const;
  // By id, so by time.
  Result<std::vector<client::v1::OutboxEntry>> List() const;
  // Removes entries 24 hours after they expired, and keys that stand for nothing. Returns how many
  // entries.
  Result<size_t> Purge(Millis now);

  const std::filesystem::path& folder() const { return folder_; }

  // For tests of kills: called with the name of the step that was just made durable.
  using StepHook = std::function<void(std::string_view step)>;
  void OnStep(StepHook hook) { hook_ = std::move(hook); }

 private:
  Outbox(std::filesystem::path folder, Bytes secret)
      : folder_(std::move(folder)), secret_(std::move(secret)) {}
  std::filesystem::path EntryPath(BytesView id) const;
  std::filesystem::path KeyPath(const std::string& key) const;
  Status Write(const client::v1::OutboxEntry& entry) const;
  void Step(std::string_view name) const;

  std::filesystem::path folder_;
  Bytes secret_;
  StepHook hook_;
};

}  // namespace schakel::sdk
