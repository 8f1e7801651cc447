// What a handler works with while one command is applied: reads through the view, writes into the
// batch, records into the tree. A handler first decides, then writes: an Error that it returns
// after a write is a broken invariant.
#pragma once

#include <google/protobuf/arena.h>

#include <optional>

#include "broker/machine/command.h"
#include "broker/machine/keys.h"
#include "broker/machine/log_tree.h"
#include "broker/machine/outcome.h"
#include "broker/machine/party_index.h"
#include "broker/machine/registry.h"
#include "broker/store/state_reader.h"
#include "broker/store/write_batch.h"
#include "schakel/state/v1/state.pb.h"
#include "schakel/v1/record.pb.h"

namespace schakel::machine {

class Facts;

// Version of the machine's behaviour; switched by a command, never by a build alone.
inline constexpr uint64_t kMachineVersion = 1;

class Context {
 public:
  Context(const store::StateReader& view, store::Batch* out, LogTree* tree, PartyIndex* parties,
          state::v1::Meta* meta, Facts* facts, Registry* registry, google::protobuf::Arena* scratch,
          const Command& command)
      : view_(view),
        out_(out),
        tree_(tree),
        parties_(parties),
        meta_(meta),
        facts_(facts),
        registry_(registry),
        scratch_(scratch),
        command_(command) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // ---- The command ----
  uint64_t position() const { return meta_->position(); }
  uint64_t now_us() const { return meta_->time_us(); }
  uint64_t now_ms() const { return meta_->time_us() / 1000; }
  const Command& command() const { return command_; }
  // REQUIRES: the command has a caller.
  const Caller& caller() const { return *command_.caller; }
  state::v1::Meta& meta() { return *meta_; }
  Facts& facts() { return *facts_; }
  Effects& effects() { return effects_; }

  // A message that lives as long as this object: what a command builds costs no allocation of its
  // own, but for long strings.
  template <typename Message>
  Message& New() {
    return *google::protobuf::Arena::CreateMessage<Message>(scratch_);
  }

  // ---- State ----
  const store::StateReader& view() const { return view_; }
  // Whether the key is there; parses its value into `out`. DATA_LOSS when it does not parse.
  Result<bool> Get(store::Family family, const Bytes& key, google::protobuf::Message* out) const;
  Result<std::optional<Bytes>> GetRaw(store::Family family, const Bytes& key) const {
    return view_.Get(family, key);
  }
  // The current entry; null when the OIN was never admitted.
  Result<Registry::Organisation> FindOrganisation(const OrganisationId& oin) const {
    return registry_->FindOrganisation(view_, oin);
  }
  // Null when no such key set was registered.
  Result<Registry::KeySet> FindKeySet(const Digest& digest) const {
    return registry_->FindKeySet(view_, digest);
  }
  void Put(store::Family family, Bytes key, const google::protobuf::Message& value);
  void PutRaw(store::Family family, Bytes key, Bytes value);
  void Delete(store::Family family, Bytes key);
  bool wrote() const { return wrote_; }
  // Something was destroyed for good: its bytes are owed to the disk. Content that is deleted says
  // so by itself.
  void MarkDestroyed() { meta_->set_destroyed_position(position()); }

  // The tree before this command's next record.
  merkle::TreeHead tree_head() const { return tree_->Head(); }

  // ---- Ids that derive from the command's entropy ----
  Bytes NewEventId();
  DeliveryId NewDeliveryId();
  // Number for a key that this command makes: feed entries, items.
  uint16_t NextNumber() { return number_++; }

  // ---- Records ----
  // A record with kind, organisation, actor and trace id of the caller filled in.
  v1::Record& NewRecord(v1::RecordKind kind);
  // INVARIANT I1: the only way into the log. Fills index, position, time and detail commitment,
  // appends the entry, stores record and detail, writes the query indexes.
  v1::LogReceipt AddRecord(v1::Record&& record, const v1::Detail* detail = nullptr);
  // How many this command has written. LIMIT: steps that go through a list stop behind
  // kSweepItemsMax of them and leave the rest to a timer.
  size_t records_written() const { return records_; }
  // Takes a destroyed record out of the query indexes of a party and of a signal.
  Status Unindex(const v1::Record& record);
  // A receipt of a record that stands. Empty record when it was destroyed.
  Result<v1::LogReceipt> Receipt(uint64_t index) const;

  // The sender's feed: how it stands with one recipient of a signal now. Returns the cursor.
  Bytes AddFeed(const OrganisationId& sender, BytesView signal_id,
                const v1::RecipientOutcome& outcome);

 private:
  const store::StateReader& view_;
  store::Batch* const out_;
  LogTree* const tree_;
  PartyIndex* const parties_;
  state::v1::Meta* const meta_;
  Facts* const facts_;
  Registry* const registry_;
  google::protobuf::Arena* const scratch_;
  const Command& command_;
  Effects effects_;
  bool wrote_ = false;
  uint16_t records_ = 0;
  uint16_t events_ = 0;
  uint16_t deliveries_ = 0;
  uint16_t number_ = 0;
};

void SetTimestamp(uint64_t time_us, google::protobuf::Timestamp* out);
// Back again. REQUIRES: a moment from 1970 on.
uint64_t ToMicros(const google::protobuf::Timestamp& time);

}  // namespace schakel::machine
