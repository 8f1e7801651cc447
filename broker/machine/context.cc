#include "broker/machine/context.h"

#include "broker/base/limits.h"

namespace schakel::machine {

using store::Family;

void SetTimestamp(uint64_t time_us, google::protobuf::Timestamp* out) {
  out->set_seconds(static_cast<int64_t>(time_us / 1'000'000));
  out->set_nanos(static_cast<int32_t>(time_us % 1'000'000 * 1000));
}

uint64_t ToMicros(const google::protobuf::Timestamp& time) {
  return static_cast<uint64_t>(time.seconds()) * 1'000'000 +
         static_cast<uint64_t>(time.nanos()) / 1000;
}

Result<bool> Context::Get(Family family, const Bytes& key, google::protobuf::Message* out) const {
  SCHAKEL_ASSIGN(auto raw, view_.Get(family, key));
  if (!raw) return false;
  if (!out->ParseFromString(*raw)) {
    return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT",
                     "a stored value is no " + out->GetDescriptor()->name());
  }
  return true;
}

void Context::Put(Family family, Bytes key, const google::protobuf::Message& value) {
  PutRaw(family, std::move(key), value.SerializeAsString());
}

void Context::PutRaw(Family family, Bytes key, Bytes value) {
  wrote_ = true;
  if (family == Family::kRegistry) registry_->Wrote(key);
  out_->Put(family, std::move(key), std::move(value));
}

void Context::Delete(Family family, Bytes key) {
  wrote_ = true;
  if (family == Family::kRegistry) registry_->Wrote(key);
  if (family == Family::kContent) MarkDestroyed();
  out_->Delete(family, std::move(key));
}

Bytes Context::NewEventId() { return merkle::EventIdOf(command_.entropy, events_++).str(); }

DeliveryId Context::NewDeliveryId() {
  return merkle::DeliveryIdOf(command_.entropy, deliveries_++);
}

v1::Record& Context::NewRecord(v1::RecordKind kind) {
  auto& record = New<v1::Record>();
  record.set_kind(kind);
  if (command_.caller) {
    record.set_organisation(command_.caller->organisation.str());
    record.set_actor(command_.caller->actor);
    record.set_actor_role(command_.caller->actor_role);
    record.set_trace_id(command_.caller->trace_id);
  }
  return record;
}

v1::LogReceipt Context::AddRecord(v1::Record&& record, const v1::Detail* detail) {
  SCHAKEL_CHECK(records_ < limits::kRecordsPerCommandMax, "I10: too many records in one command");
  uint64_t index = tree_->size();
  record.set_index(index);
  record.set_position(position());
  record.set_time_us(now_us());

  auto& stored = New<state::v1::StoredRecord>();
  if (detail != nullptr) {
    auto detail_salt = merkle::DetailSaltOf(command_.entropy, records_);
    stored.set_detail(detail->SerializeAsString());
    stored.set_detail_salt(detail_salt.str());
    record.set_detail_commitment(merkle::DetailCommitment(detail_salt, stored.detail()).str());
  }
  auto salt = merkle::RecordSaltOf(command_.entropy, records_);
  stored.set_record(record.SerializeAsString());
  stored.set_salt(salt.str());
  Digest entry = merkle::EntryOf(salt, stored.record());
  stored.set_entry(entry.str());
  tree_->Append(entry, out_);
  Put(Family::kRecords, keys::Record(index), stored);
  meta_->set_tree_size(tree_->size());
  ++records_;

  if (!record.organisation().empty()) {
    parties_->Add(record.organisation(), index);
  }
  if (!record.signal_id().empty()) {
    PutRaw(Family::kLocal, keys::SignalIndex(record.signal_id(), index), {});
  }
  if (record.kind() == v1::RECORD_KIND_SWEEP) {
    PutRaw(Family::kLocal, keys::SweepIndex(record.facts().swept(), now_us(), index), {});
  }
  if (detail != nullptr) {
    for (const auto& pair : detail->subject().pairs()) {
      if (pair.epoch() != 0) PutRaw(Family::kLocal, keys::SubjectIndex(pair, index), {});
    }
  }

  v1::LogReceipt receipt;
  receipt.set_position(position());
  receipt.set_index(index);
  receipt.set_record(std::move(*stored.mutable_record()));
  receipt.set_salt(std::move(*stored.mutable_salt()));
  return receipt;
}

Status Context::Unindex(const v1::Record& record) {
  if (!record.signal_id().empty()) {
    Delete(Family::kLocal, keys::SignalIndex(record.signal_id(), record.index()));
  }
  if (record.organisation().empty()) return {};
  return RemoveFromPartyIndex(view_, out_, record.organisation(), record.index());
}

Result<v1::LogReceipt> Context::Receipt(uint64_t index) const {
  state::v1::StoredRecord stored;
  SCHAKEL_ASSIGN(bool found, Get(Family::kRecords, keys::Record(index), &stored));
  if (!found) return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "a record is missing");
  v1::LogReceipt receipt;
  receipt.set_index(index);
  receipt.set_record(stored.record());
  receipt.set_salt(stored.salt());
  v1::Record record;
  if (record.ParseFromString(stored.record())) receipt.set_position(record.position());
  return receipt;
}

Bytes Context::AddFeed(const OrganisationId& sender, BytesView signal_id,
                       const v1::RecipientOutcome& outcome) {
  v1::OutcomeEvent event;
  uint16_t number = NextNumber();
  event.set_cursor(ItemKey{position(), number}.Encode());
  event.set_signal_id(Bytes(signal_id));
  *event.mutable_outcome() = outcome;
  event.set_position(position());
  Put(Family::kHot, keys::Feed(sender, position(), number), event);
  return event.cursor();
}

}  // namespace schakel::machine
