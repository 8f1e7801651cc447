#include "clients/sdk/outbox.h"

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/random.h"
#include "clients/sdk/files.h"
#include "clients/sdk/status.h"

namespace schakel::sdk {
namespace {

namespace fs = std::filesystem;
using client::v1::OutboxEntry;

Error DamagedOutbox(const fs::path& path) {
  return MakeError(ErrorCode::kDataLoss, "OUTBOX_DAMAGED",
                   path.string() +
                       " is damaged; look at the broker's list of signals before you "
                       "remove it and send again",
                   path.string());
}

Result<std::optional<OutboxEntry>> ReadEntry(const fs::path& path) {
  SCHAKEL_ASSIGN(const auto content, ReadFileIfThere(path, 1 << 20));
  if (!content) return std::optional<OutboxEntry>();
  OutboxEntry entry;
  if (!entry.ParseFromString(*content) || entry.signal_id().size() != 16 ||
      entry.state() == client::v1::OUTBOX_STATE_UNSPECIFIED) {
    return DamagedOutbox(path);
  }
  return std::optional<OutboxEntry>(std::move(entry));
}

// Refused since it is too old, or expired: the same bytes can never take effect any more.
bool RefusedAsTooOld(const OutboxEntry& entry, const v1::PublishResult& answer) {
  if (!answer.has_error()) return false;
  const std::string reason = ErrorFromRpcStatus(answer.error(), "en").reason;
  return reason == "CREATED_TOO_OLD" || (reason == "EXPIRY_OUT_OF_RANGE" &&
                                         Millis(static_cast<int64_t>(entry.expires_ms())) <= Now());
}

bool Ended(const OutboxEntry& entry, Millis now) {
  return Millis(static_cast<int64_t>(entry.expires_ms())) + Millis(limits::kOnceKeepAfterExpiry) <=
         now;
}

}  // namespace

Result<Outbox> Outbox::Open(fs::path folder) {
  SCHAKEL_TRY(EnsurePrivateFolder(folder));
  SCHAKEL_TRY(EnsurePrivateFolder(folder / "keys"));
  SCHAKEL_ASSIGN(const auto lock, FileLock::Acquire(folder / ".lock"));
  SCHAKEL_ASSIGN(auto secret, ReadFileIfThere(folder / ".secret", 32));
  if (!secret) {
    secret = crypto::RandomBytes(32);
    SCHAKEL_TRY(WriteFileDurably(folder / ".secret", *secret));
  }
  if (secret->size() != 32) return DamagedOutbox(folder / ".secret");
  return Outbox(std::move(folder), std::move(*secret));
}

Digest Outbox::InputDigest(const SignalDraft& draft) const { return DraftDigest(draft, secret_); }

fs::path Outbox::EntryPath(BytesView id) const { return folder_ / UuidText(id); }

fs::path Outbox::KeyPath(const std::string& key) const {
  return folder_ / "keys" / HexEncode(crypto::Sha256(key).view());
}

void Outbox::Step(std::string_view name) const {
  if (hook_) hook_(name);
}

Status Outbox::Write(const OutboxEntry& entry) const {
  return WriteFileDurably(EntryPath(entry.signal_id()), entry.SerializeAsString());
}

Result<std::optional<OutboxEntry>> Outbox::FindByKey(const std::string& key,
                                                     const Digest& input) const {
  if (key.empty()) return std::optional<OutboxEntry>();
  SCHAKEL_ASSIGN(const auto content, ReadFileIfThere(KeyPath(key), 1 << 16));
  if (!content) return std::optional<OutboxEntry>();
  client::v1::OutboxKey pointer;
  if (!pointer.ParseFromString(*content) || pointer.signal_id().size() != 16 ||
      pointer.key() != key) {
    return DamagedOutbox(KeyPath(key));
  }
  SCHAKEL_ASSIGN(auto entry, ReadEntry(EntryPath(pointer.signal_id())));
  // No entry: killed before it was written (so nothing was sent), or purged. A failed one never
  // took effect.
  if (!entry || entry->state() == client::v1::OUTBOX_STATE_FAILED) {
    return std::optional<OutboxEntry>();
  }
  if (entry->key() != key) return DamagedOutbox(KeyPath(key));
  if (entry->input_digest() != input.view()) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_REUSED",
                     "the key '" + key + "' stands for signal " + UuidText(entry->signal_id()) +
                         ", which was made from other input; take another key",
                     "key");
  }
  return entry;
}

Result<OutboxEntry> Outbox::Prepare(const ComposedSignal& signal, const std::string& key,
                                    const Digest& input) {
  SCHAKEL_ASSIGN(const auto lock, FileLock::Acquire(folder_ / ".lock"));
  SCHAKEL_ASSIGN(auto earlier, FindByKey(key, input));
  if (earlier) return std::move(*earlier);
  if (!key.empty()) {
    client::v1::OutboxKey pointer;
    pointer.set_signal_id(signal.id.str());
    pointer.set_key(key);
    SCHAKEL_TRY(WriteFileDurably(KeyPath(key), pointer.SerializeAsString()));
    Step("key written");
  }
  OutboxEntry entry;
  entry.set_signal_id(signal.id.str());
  entry.set_key(key);
  entry.set_input_digest(input.str());
  entry.set_envelope_digest(signal.envelope_digest.str());
  entry.set_created_ms(static_cast<uint64_t>(signal.created.count()));
  entry.set_expires_ms(static_cast<uint64_t>(signal.expires.count()));
  entry.set_state(client::v1::OUTBOX_STATE_PREPARED);
  entry.set_envelope(signal.envelope);
  SCHAKEL_TRY(Write(entry));
  Step("entry written");
  return entry;
}

Result<OutboxEntry> Outbox::Settle(const SignalId& id, const v1::PublishResult& answer) {
  Step("answer received");
  SCHAKEL_ASSIGN(const auto lock, FileLock::Acquire(folder_ / ".lock"));
  SCHAKEL_ASSIGN(auto entry, Get(id));
  // A final answer stays: another process may have sent the same bytes at the same time.
  if (entry.state() != client::v1::OUTBOX_STATE_PREPARED) return entry;
  *entry.mutable_answer() = answer;
  if (answer.has_accepted()) {
    entry.set_state(client::v1::OUTBOX_STATE_ANSWERED);
    entry.clear_envelope();
  } else if (RefusedAsTooOld(entry, answer)) {
    entry.set_state(client::v1::OUTBOX_STATE_FAILED);
    entry.clear_envelope();
  }
  SCHAKEL_TRY(Write(entry));
  Step("entry settled");
  return entry;
}

Result<OutboxEntry> Outbox::Get(const SignalId& id) const {
  SCHAKEL_ASSIGN(auto entry, ReadEntry(EntryPath(id.view())));
  if (!entry) {
    return MakeError(ErrorCode::kNotFound, "NOT_FOUND",
                     "the outbox has no signal " + UuidText(id.view()));
  }
  return std::move(*entry);
}

Result<std::vector<OutboxEntry>> Outbox::List() const {
  std::vector<OutboxEntry> entries;
  std::error_code code;
  for (fs::directory_iterator at(folder_, code), end; !code && at != end; at.increment(code)) {
    if (!UuidParse(at->path().filename().string())) continue;
    SCHAKEL_ASSIGN(auto entry, ReadEntry(at->path()));
    if (entry) entries.push_back(std::move(*entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.signal_id() < b.signal_id(); });
  return entries;
}

Result<size_t> Outbox::Purge(Millis now) {
  SCHAKEL_ASSIGN(const auto lock, FileLock::Acquire(folder_ / ".lock"));
  SCHAKEL_ASSIGN(const auto entries, List());
  size_t purged = 0;
  for (const auto& entry : entries) {
    if (!Ended(entry, now)) continue;
    SCHAKEL_TRY(RemoveFileDurably(EntryPath(entry.signal_id())));
    ++purged;
  }
  std::error_code code;
  for (fs::directory_iterator at(folder_ / "keys", code), end; !code && at != end;
       at.increment(code)) {
    SCHAKEL_ASSIGN(const auto content, ReadFileIfThere(at->path(), 1 << 16));
    client::v1::OutboxKey pointer;
    if (!content || !pointer.ParseFromString(*content)) continue;
    if (fs::exists(EntryPath(pointer.signal_id()), code)) continue;
    SCHAKEL_TRY(RemoveFileDurably(at->path()));
  }
  return purged;
}

}  // namespace schakel::sdk
