// What must hold after each batch and at the end of a world.
#include <algorithm>

#include "broker/machine/log_tree.h"
#include "broker/merkle/entry.h"
#include "broker/store/overlay_view.h"
#include "tests/sim/convert.h"
#include "tests/sim/world.h"

namespace schakel::sim {

using store::Family;

std::string World::CheckHandedOver(const machine::Leased& leased,
                                   const std::vector<ModelHandOver>& expected, const Text& who) {
  if (leased.items.size() != expected.size()) {
    return Difference("items of a delivery", std::to_string(expected.size()),
                      std::to_string(leased.items.size()));
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto& found = leased.items[i].delivery;
    const auto& item = *expected[i].item;
    ++stats_.handed_over;
    if (found.attempt() != item.attempts) return "attempts of a delivery";
    if (item.signal == nullptr) {
      if (!found.has_notice() || found.notice().signal_id() != item.notice_about) {
        return "a notice in its place";
      }
      continue;
    }
    v1::Header header;
    if (!header.ParseFromString(found.signal().header())) return "a delivered header";
    if (header.signal_id() != item.signal->id) return "order of a delivery";
    if (static_cast<size_t>(found.signal().sections_size()) != expected[i].sections.size()) {
      return "I9: sections of a delivery";
    }
    for (const auto& section : found.signal().sections()) {
      if (section.wraps_size() != 1 || section.wraps(0).recipient() != who) {
        return "I9: a delivery with the wrap of another";
      }
    }
    for (const auto& receipt : found.signal().receipts()) {
      for (const auto& statement : ReliedOn(*state_, receipt.index())) {
        if (!model_.InForce(statement)) return "I4: a delivery relies on what is not in force";
      }
    }
  }
  return "";
}

// Every effect has its record, and every record its effect.
std::string World::CheckRecords() {
  for (uint64_t size = machine_->TreeHead().size; records_checked_ < size; ++records_checked_) {
    auto raw = state_->Get(Family::kRecords, machine::keys::Record(records_checked_));
    state::v1::StoredRecord stored;
    v1::Record record;
    if (!raw.ok() || !*raw || !stored.ParseFromString(**raw) ||
        !record.ParseFromString(stored.record())) {
      return "a record is missing";
    }
    auto salt = merkle::RecordSalt::From(stored.salt());
    if (!salt || merkle::EntryOf(*salt, stored.record()).view() != stored.entry()) {
      return "an entry is not that of its record";
    }
    if (record.index() != records_checked_) return "a record has another index";
    ++records_seen_[record.kind()];
    if (record.kind() == v1::RECORD_KIND_WITHHELD) ++stats_.withheld;
  }
  for (int kind = v1::RecordKind_MIN; kind <= v1::RecordKind_MAX; ++kind) {
    auto expected = model_.records().find(kind);
    uint64_t count = expected == model_.records().end() ? 0 : expected->second;
    if (records_seen_[kind] != count) {
      return Difference(v1::RecordKind_Name(static_cast<v1::RecordKind>(kind)).c_str(),
                        std::to_string(count), std::to_string(records_seen_[kind]));
    }
  }
  return "";
}

std::string World::CheckQueues() {
  for (const auto& member : Members()) {
    for (auto urgency : {v1::URGENCY_ACUTE, v1::URGENCY_NORMAL}) {
      std::vector<Bytes> places;
      auto status =
          state_->ScanPrefix(Family::kHot, machine::keys::ReadyPrefix(member.oin, urgency),
                             [&](BytesView key, BytesView) {
                               places.emplace_back(key.substr(key.size() - 10));
                               return true;
                             });
      if (!status.ok()) return "a queue that cannot be read";
      std::vector<Text> found;
      for (const auto& place : places) {
        auto raw = state_->Get(Family::kHot,
                               machine::keys::Item(member.oin, *machine::ItemKey::Parse(place)));
        state::v1::InboxItem item;
        if (!raw.ok() || !*raw || !item.ParseFromString(**raw)) return "a ready item is missing";
        found.push_back(item.signal_id());
      }
      auto expected = model_.Ready(member.oin.str(), urgency == v1::URGENCY_ACUTE);
      if (found != expected) {
        return Difference("items in a queue", std::to_string(expected.size()),
                          std::to_string(found.size()));
      }
    }
  }
  return "";
}

std::string World::CheckFeed() {
  for (const auto& member : Members()) {
    const Bytes prefix = machine::keys::FeedPrefix(member.oin);
    Bytes& from = feed_read_.try_emplace(member.oin.str(), prefix).first->second;
    bool parsed = true;
    auto status = state_->Scan(
        Family::kHot, from, store::PrefixEnd(prefix), [&](BytesView key, BytesView value) {
          v1::OutcomeEvent event;
          parsed &= event.ParseFromString(Bytes(value));
          feed_seen_[{member.oin.str(), event.signal_id(), event.outcome().recipient()}].push_back(
              ToldBy(event.outcome()));
          from = Bytes(key) + '\0';
          return true;
        });
    if (!status.ok() || !parsed) return "a feed that cannot be read";
  }
  return feed_seen_ == model_.feed() ? "" : "the feeds differ";
}

std::string World::CheckContent() {
  for (const auto& [key, signal] : model_.signals()) {
    auto raw =
        state_->Get(Family::kContent, machine::keys::SignalContent(*OrganisationId::From(key.first),
                                                                   *SignalId::From(key.second)));
    if (!raw.ok()) return "content that cannot be read";
    if (raw->has_value() != model_.HasContent(key.first, key.second)) {
      return raw->has_value() ? "content that nobody waits for is kept" : "content is lost";
    }
  }
  return "";
}

std::string World::CheckTree() {
  merkle::Frontier frontier;
  for (uint64_t i = 0; i < machine_->TreeHead().size; ++i) {
    auto entry = machine::ReadEntry(*state_, i);
    if (!entry.ok()) return "an entry is missing";
    frontier.Append(*entry);
  }
  return frontier.Head() == machine_->TreeHead() ? "" : "the root is not that of the entries";
}

std::string World::CheckOtherBatches() {
  store::testing::MemoryState other(factory_.state());
  auto twin = machine::Machine::Load(other);
  if (!twin.ok()) return "the beginning does not load";
  for (size_t begin = 0; begin < applied_.size();) {
    size_t end = std::min<size_t>(begin + 1 + Below(50), applied_.size());
    store::Batch batch;
    const store::OverlayView view(other, {&batch});
    uint64_t position = 0;
    for (size_t i = begin; i < end; ++i) {
      auto outcome = (*twin)->Apply(view, &batch, applied_[i]);
      if (!outcome.ok()) return "I6: the machine failed in other batches";
      position = outcome->position;
    }
    (*twin)->FinishBatch(&batch);
    if (!other.Commit(batch, position).ok()) return "a commit failed";
    if (Below(1000) < 10) twin = machine::Machine::Load(other);
    if (!twin.ok()) return "I6: a restart in other batches failed";
    begin = end;
  }
  if ((*twin)->TreeHead() != machine_->TreeHead()) return "I6: another root in other batches";
  return other.SameState(*state_) ? "" : "I6: another state in other batches";
}

}  // namespace schakel::sim
