#include "tests/sim/model.h"

#include <algorithm>

#include "tests/sim/model_numbers.h"

namespace schakel::sim {
namespace {

int ToldOf(ItemEnd end) {
  switch (end) {
    case ItemEnd::kAcknowledged:
      return kToldAcknowledged;
    case ItemEnd::kRefused:
      return kToldRefused;
    case ItemEnd::kExpired:
      return kToldExpired;
    case ItemEnd::kWithheld:
      return kToldWithheld;
    case ItemEnd::kDeadLetter:
      return kToldDeadLetter;
    case ItemEnd::kOpen:
      break;
  }
  return kToldQueued;
}

// As signal-types.yaml says.
uint64_t TermOf(const Text& type) {
  if (type == "rent-arrears") return 7 * kDayUs;
  if (type == "care-avoidance") return 5 * kDayUs;
  return kDayUs;  // a violence report
}

}  // namespace

void Model::AddOrganisation(const Text& oin, const Text& sector, std::set<Text> functions,
                            bool bsn_authority) {
  organisations_[oin] = {sector, std::move(functions), bsn_authority};
}

// ---- Commands ----

Text Model::RefusedAs(const Text& organisation, const Text& reason) {
  Denied(organisation, reason);
  return reason;
}

void Model::Denied(const Text& organisation, const Text& reason) {
  auto& count = denied_[{organisation, reason}];
  uint64_t minute = now_us_ / kMinuteUs;
  if (count.minute != minute) {
    if (count.suppressed > 0) Count(kDeniedAttempt);
    count = {minute, 0, 0};
  }
  if (count.recorded < 10) {
    ++count.recorded;
    Count(kDeniedAttempt);
  } else {
    ++count.suppressed;
  }
}

Text Model::Caller(const Text& oin, uint64_t version) {
  const auto& organisation = organisations_.at(oin);
  return organisation.enabled && organisation.version == version ? "" : "STALE_VERSION";
}

Text Model::Publish(const ModelSignal& given, const Text& actor_oin) {
  std::pair<Text, Text> key = {given.sender, given.id};
  if (auto known = signals_.find(key); known != signals_.end()) {
    if (known->second.digest == given.digest) return "";
    return RefusedAs(actor_oin, "ALREADY_EXISTS");
  }
  ModelSignal& s = signals_[key] = given;
  uint64_t term_us = TermOf(s.type);
  if (now_us_ + term_us < s.expires_ms * 1000) s.stalled_us = now_us_ + term_us;
  Count(kPublish, s.subjects.size());
  std::vector<size_t> all(s.sections.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  for (size_t slot = 0; slot < s.recipients.size(); ++slot) {
    const Text& recipient = s.recipients[slot];
    std::set<Text> relied_on;
    s.permitted.push_back(enabled(recipient) ? Decide(s, slot, all, &relied_on)
                                             : std::vector<size_t>());
    bool queued = !s.permitted.back().empty();
    feed_[{s.sender, s.id, recipient}].push_back(queued ? kToldQueued : kToldDenied);
    if (!queued) continue;
    Place place = {position_, slot};
    ModelItem& item = items_[recipient][place];
    item.recipient = recipient;
    item.place = place;
    item.signal = &s;
    item.slot = slot;
    item.acute = s.acute;
    item.case_id = s.case_id;
    item.expires_ms = s.expires_ms;
    open_[recipient][place] = &item;
  }
  return "";
}

std::vector<bool> Model::FirstAnswer(const Text& sender, const Text& id) const {
  std::vector<bool> queued;
  for (const auto& permitted : signals_.at({sender, id}).permitted) {
    queued.push_back(!permitted.empty());
  }
  return queued;
}

std::vector<ModelItem*> Model::ReadyItems(const Text& recipient, bool acute) const {
  std::vector<ModelItem*> ready;
  std::set<Text> busy_cases;
  auto open = open_.find(recipient);
  if (open == open_.end()) return ready;
  for (const auto& [place, item] : open->second) {
    if (item->acute != acute) continue;
    bool first = item->case_id.empty() || busy_cases.insert(item->case_id).second;
    if (first && !item->leased) ready.push_back(item);
  }
  return ready;
}

std::vector<Text> Model::Ready(const Text& recipient, bool acute) const {
  std::vector<Text> signals;
  for (const auto* item : ReadyItems(recipient, acute)) {
    signals.push_back(item->signal != nullptr ? item->signal->id : item->notice_about);
  }
  return signals;
}

void Model::ShowItem(ModelItem* item, const std::vector<size_t>& sections,
                     const std::set<Text>& relied_on) {
  std::set<size_t> read;
  for (size_t place : sections) {
    const auto& about = item->signal->sections[place].subjects;
    read.insert(about.begin(), about.end());
  }
  Count(kDelivery, read.size());
  item->shown.insert(read.begin(), read.end());
  for (const auto& id : relied_on) {
    statements_.at(id).readers[++serial_] = item;
    item->reliance.emplace_back(id, serial_);
  }
}

std::vector<ModelHandOver> Model::Deliver(const Text& who, size_t max, uint64_t lease_us,
                                          const Text& fetch_id, bool* more) {
  std::vector<ModelHandOver> handed;
  *more = false;
  auto fetch = fetches_.find({who, fetch_id});
  if (!fetch_id.empty() && fetch != fetches_.end() && now_us_ < fetch->second.lease_until_us) {
    for (auto& [item, delivery] : fetch->second.items) {
      if (!item->leased || item->deliveries.back() != delivery) continue;
      if (now_ms() >= item->expires_ms) {
        Count(kExpiry, RecordsOf(*item));
        End(item, ItemEnd::kExpired);
        continue;
      }
      std::vector<size_t> sections;
      if (item->signal != nullptr) {
        std::set<Text> relied_on;
        sections = DecideAgain(*item, &relied_on);
        if (sections.empty()) {
          Count(kWithheldKind, RecordsOf(*item));
          End(item, ItemEnd::kWithheld);
          continue;
        }
        ShowItem(item, sections, relied_on);
      }
      handed.push_back({item, std::move(sections)});
    }
    return handed;
  }
  auto ready = ReadyItems(who, true);
  auto normal = ReadyItems(who, false);
  ready.insert(ready.end(), normal.begin(), normal.end());
  *more = ready.size() > max;
  if (*more) ready.resize(max);
  for (auto* item : ready) {
    std::vector<size_t> sections;
    if (now_ms() >= item->expires_ms) {
      Count(kExpiry, RecordsOf(*item));
      End(item, ItemEnd::kExpired);
      *more = true;
      continue;
    }
    if (item->signal == nullptr) {
      Count(kDelivery);
    } else {
      std::set<Text> relied_on;
      sections = DecideAgain(*item, &relied_on);
      if (sections.empty()) {
        Count(kWithheldKind, RecordsOf(*item));
        End(item, ItemEnd::kWithheld);
        *more = true;
        continue;
      }
      item->reliance.clear();
      ShowItem(item, sections, relied_on);
      Tell(*item, kToldDelivered);
    }
    item->leased = true;
    item->pulled = fetch_id.empty();
    item->lease_until_us = now_us_ + lease_us;
    ++item->attempts;
    handed.push_back({item, std::move(sections)});
  }
  if (!fetch_id.empty() && !handed.empty()) {
    fetches_[{who, fetch_id}] = {now_us_ + lease_us, {}};
  }
  return handed;
}

void Model::NameDeliveries(const Text& who, const std::vector<ModelHandOver>& handed,
                           const std::vector<Text>& ids, const Text& fetch_id) {
  for (size_t i = 0; i < handed.size(); ++i) {
    auto* item = handed[i].item;
    if (!item->deliveries.empty() && item->deliveries.back() == ids[i]) continue;  // repeated
    if (item->deliveries.size() == 16) {
      deliveries_.erase(item->deliveries.front());
      item->deliveries.pop_front();
    }
    item->deliveries.push_back(ids[i]);
    deliveries_[ids[i]] = item;
    auto& recent = recent_[who];
    recent.push_back(ids[i]);
    if (recent.size() > 30) recent.pop_front();
    if (!fetch_id.empty()) fetches_[{who, fetch_id}].items.emplace_back(item, ids[i]);
  }
}

Text Model::AnyFetch(const Text& who) const {
  Text last;
  for (auto it = fetches_.lower_bound({who, ""}); it != fetches_.end() && it->first.first == who;
       ++it) {
    if (now_us_ < it->second.lease_until_us) last = it->first.second;
  }
  return last;
}

ModelItem* Model::FindDelivery(const Text& who, const Text& delivery) {
  auto found = deliveries_.find(delivery);
  return found != deliveries_.end() && found->second->recipient == who ? found->second : nullptr;
}

Text Model::FindLeased(const Text& who, const Text& delivery, ModelItem** item) {
  *item = FindDelivery(who, delivery);
  if (*item == nullptr) return "DELIVERY_UNKNOWN";
  if ((*item)->end != ItemEnd::kOpen) return "DELIVERY_SETTLED";
  if (!(*item)->leased || (*item)->deliveries.back() != delivery) return "LEASE_LOST";
  return "";
}

uint64_t Model::RecordsOf(const ModelItem& item) const {
  if (item.signal == nullptr) return 1;
  return item.shown.empty() ? item.signal->subjects.size() : item.shown.size();
}

void Model::Tell(const ModelItem& item, int state) {
  if (item.signal == nullptr) return;
  auto& told = feed_[{item.signal->sender, item.signal->id, item.recipient}];
  if (told.back() != state) told.push_back(state);
}

void Model::End(ModelItem* item, ItemEnd end) {
  item->end = end;
  item->leased = false;
  item->pulled = false;
  open_[item->recipient].erase(item->place);
  Tell(*item, ToldOf(end));
}

void Model::GiveBack(ModelItem* item) {
  if (now_ms() >= item->expires_ms) {
    Count(kExpiry, RecordsOf(*item));
    End(item, ItemEnd::kExpired);
    return;
  }
  item->leased = false;
  item->pulled = false;
  std::set<Text> relied_on;
  if (item->signal == nullptr || !DecideAgain(*item, &relied_on).empty()) return;
  Count(kWithheldKind, RecordsOf(*item));
  End(item, ItemEnd::kWithheld);
}

Text Model::SettleBy(const Text& who, const Text& delivery, ItemEnd end) {
  ModelItem* item = FindDelivery(who, delivery);
  if (item == nullptr) return RefusedAs(who, "DELIVERY_UNKNOWN");
  if (item->end != ItemEnd::kOpen) {
    return item->end == end ? "" : RefusedAs(who, "DELIVERY_SETTLED");
  }
  Count(end == ItemEnd::kAcknowledged ? kAcknowledgement : kRefusal, RecordsOf(*item));
  End(item, end);
  return "";
}

Text Model::Release(const Text& who, const Text& delivery) {
  ModelItem* item = nullptr;
  Text refused = FindLeased(who, delivery, &item);
  if (!refused.empty()) return RefusedAs(who, refused);
  Count(kRelease, RecordsOf(*item));
  GiveBack(item);
  return "";
}

Text Model::Extend(const Text& who, const Text& delivery, uint64_t lease_us) {
  ModelItem* item = nullptr;
  Text refused = FindLeased(who, delivery, &item);
  if (!refused.empty()) return RefusedAs(who, refused);
  Count(kExtension, RecordsOf(*item));
  item->lease_until_us = now_us_ + lease_us;
  return "";
}

void Model::Cancel(const Text& who, const Text& delivery) {
  ModelItem* item = nullptr;
  if (!FindLeased(who, delivery, &item).empty()) return;
  Count(kCancelled, RecordsOf(*item));
  for (const auto& [statement, serial] : item->reliance) {
    statements_.at(statement).readers.erase(serial);
  }
  item->reliance.clear();
  deliveries_.erase(delivery);
  item->deliveries.pop_back();
  if (--item->attempts == 0) {
    item->shown.clear();
    Tell(*item, kToldQueued);
  }
  GiveBack(item);
}

void Model::ReleaseStream(const Text& who, const std::vector<Text>& deliveries) {
  for (const auto& delivery : deliveries) {
    ModelItem* item = nullptr;
    if (!FindLeased(who, delivery, &item).empty()) continue;
    Count(kRelease, RecordsOf(*item));
    GiveBack(item);
  }
}

void Model::ReleaseLeftovers() {
  for (auto& [recipient, open] : open_) {
    auto copy = open;
    for (auto& [place, item] : copy) {
      if (!item->leased || !item->pulled) continue;
      Count(kRelease, RecordsOf(*item));
      GiveBack(item);
    }
  }
}

}  // namespace schakel::sim
