#include "tests/sim/model.h"

#include <algorithm>

namespace schakel::sim {
namespace {

// Numbers of record.proto and signal.proto that the model counts and tells.
enum Kind {
  kPublish = 2,
  kDelivery = 3,
  kCancelled = 4,
  kAcknowledgement = 5,
  kRefusal = 6,
  kExpiry = 7,
  kStatement = 8,
  kWithdrawal = 9,
  kDirectory = 10,
  kActivation = 12,
  kNotice = 15,
  kDeniedAttempt = 18,
  kRelease = 20,
  kExtension = 21,
  kWithheldKind = 22,
};
enum Told {
  kToldDenied = 1,
  kToldQueued = 2,
  kToldDelivered = 3,
  kToldAcknowledged = 4,
  kToldRefused = 5,
  kToldExpired = 6,
  kToldWithheld = 7,
  kToldDeadLetter = 8,
};

constexpr uint64_t kMinuteUs = 60'000'000;

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

// `general` is `special`, or the same function wherever.
bool FunctionHolds(const Text& general, const Text& special) {
  return general == special || general == special.substr(0, special.find('@'));
}

bool In(const Text& text, std::initializer_list<const char*> list) {
  return std::any_of(list.begin(), list.end(), [&](const char* item) { return text == item; });
}

int Rank(const ModelAxis& axis) { return static_cast<int>(axis.level); }

bool MoreSpecific(const ModelStatement& a, const ModelStatement& b) {
  const std::vector<std::pair<int, int>> axes = {
      {Rank(a.sender), Rank(b.sender)},         {Rank(a.recipient), Rank(b.recipient)},
      {!a.case_id.empty(), !b.case_id.empty()}, {!a.category.empty(), !b.category.empty()},
      {!a.purpose.empty(), !b.purpose.empty()},
  };
  bool more = false;
  for (auto [left, right] : axes) {
    if (left < right) return false;
    more |= left > right;
  }
  return more;
}

}  // namespace

void Model::AddOrganisation(const Text& oin, const Text& sector, std::set<Text> functions,
                            bool bsn_authority) {
  organisations_[oin] = {sector, std::move(functions), bsn_authority};
}

// ---- Who may get what ----

bool Model::RulePermits(const ModelSignal& s, const Text& recipient,
                        const ModelSection& section) const {
  const Organisation& from = organisations_.at(s.sender);
  const Organisation& to = organisations_.at(recipient);
  const Text& c = section.category;
  if (s.type == "rent-arrears") {
    if (strict_ || s.purpose != "prevent-eviction" || from.sector != "housing") return false;
    if (!In(c, {"finances", "housing"})) return false;
    if (section.ground == "wgs-debt") return to.functions.contains("debt-relief");
    return section.ground == "consent" &&
           (to.functions.contains("debt-relief") || to.functions.contains("neighbourhood-team"));
  }
  if (s.type == "domestic-violence-report") {
    if (section.ground != "wmo-veilig-thuis") return false;
    if (to.functions.contains("domestic-violence-centre") && In(c, {"safety", "social"}) &&
        In(from.sector, {"police", "care", "social-services", "municipality", "safety-house"})) {
      return true;
    }
    return to.functions.contains("neighbourhood-team") && c == "social" &&
           In(from.sector, {"police", "safety-house", "municipality"});
  }
  if (s.type == "care-avoidance") {
    if (section.ground != "consent" || !In(c, {"daily-living", "social"})) return false;
    if (to.functions.contains("neighbourhood-team") &&
        In(from.sector, {"care", "housing", "social-services", "municipality"})) {
      return true;
    }
    return to.functions.contains("ambulatory-care") && In(from.sector, {"care", "municipality"});
  }
  return false;
}

bool Model::AxisMatches(const ModelAxis& axis, const Text& oin) const {
  const Organisation& organisation = organisations_.at(oin);
  switch (axis.level) {
    case ModelAxis::kAny:
      return true;
    case ModelAxis::kSector:
      return organisation.sector == axis.value;
    case ModelAxis::kFunction:
      // Every function of this world is held at dordrecht, the only area that statements name.
      return organisation.functions.contains(axis.value.substr(0, axis.value.find('@')));
    case ModelAxis::kOrganisation:
      return oin == axis.value;
  }
  return false;
}

bool Model::AxisCovers(const ModelAxis& objection, const ModelAxis& consent) const {
  if (objection.level == ModelAxis::kAny) return true;
  if (objection.level == consent.level && objection.value == consent.value) return true;
  if (consent.level == ModelAxis::kOrganisation) {
    return objection.level != ModelAxis::kOrganisation && AxisMatches(objection, consent.value);
  }
  return objection.level == ModelAxis::kFunction && consent.level == ModelAxis::kFunction &&
         FunctionHolds(objection.value, consent.value);
}

bool Model::InForce(const Text& statement) const {
  const auto& s = statements_.at(statement);
  return !s.withdrawn && s.from_ms <= now_ms() && now_ms() < s.until_ms;
}

Model::Standing Model::Look(const Text& sender, const Text& recipient, const Text& subject,
                            const Text& category, const Text& purpose, const Text& case_id) const {
  std::vector<const ModelStatement*> matching;
  auto about = statements_about_.find(subject);
  if (about == statements_about_.end()) return {};
  for (const auto& id : about->second) {
    const auto& s = statements_.at(id);
    if (InForce(id) && AxisMatches(s.sender, sender) && AxisMatches(s.recipient, recipient) &&
        (s.case_id.empty() || s.case_id == case_id) &&
        (s.category.empty() || s.category == category) &&
        (s.purpose.empty() || s.purpose == purpose)) {
      matching.push_back(&s);
    }
  }
  Standing standing;
  for (const auto* s : matching) {
    bool beaten = std::any_of(matching.begin(), matching.end(),
                              [&](const auto* other) { return MoreSpecific(*other, *s); });
    if (beaten) continue;
    if (s->objection) {
      standing.objection = true;
    } else {
      standing.consents.push_back(s->id);
    }
  }
  return standing;
}

bool Model::SectionPermitted(const ModelSignal& s, const Text& recipient,
                             const ModelSection& section, std::set<Text>* relied_on) const {
  if (!RulePermits(s, recipient, section)) return false;
  std::set<Text> relied;
  for (size_t place : section.subjects) {
    const Text& subject = s.subjects[place];
    if (subject.empty()) {
      if (section.ground == "consent" || !organisations_.at(recipient).bsn_authority) return false;
      continue;
    }
    auto standing = Look(s.sender, recipient, subject, section.category, s.purpose, s.case_id);
    if (section.ground == "consent") {
      if (standing.objection || standing.consents.empty()) return false;
      relied.insert(standing.consents.begin(), standing.consents.end());
    } else if (section.ground == "wgs-debt") {
      if (standing.objection && !section.objection_weighed) return false;
    }
  }
  relied_on->insert(relied.begin(), relied.end());
  return true;
}

std::vector<size_t> Model::Decide(const ModelSignal& s, size_t slot,
                                  const std::vector<size_t>& offered,
                                  std::set<Text>* relied_on) const {
  std::vector<size_t> permitted;
  for (size_t place : offered) {
    if (SectionPermitted(s, s.recipients[slot], s.sections[place], relied_on)) {
      permitted.push_back(place);
    }
  }
  return permitted;
}

std::vector<size_t> Model::DecideAgain(const ModelItem& item, std::set<Text>* relied_on) const {
  const ModelSignal& s = *item.signal;
  if (!enabled(s.sender) || !enabled(item.recipient)) return {};
  return Decide(s, item.slot, s.permitted[item.slot], relied_on);
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

// ---- Consent ----

void Model::RecheckQueued(const Text& subject) {
  for (auto& [recipient, open] : open_) {
    auto copy = open;
    for (auto& [place, item] : copy) {
      if (item->leased || item->signal == nullptr) continue;
      const auto& about = item->signal->subjects;
      if (std::find(about.begin(), about.end(), subject) == about.end()) continue;
      std::set<Text> relied_on;
      if (!DecideAgain(*item, &relied_on).empty()) continue;
      Count(kWithheldKind, RecordsOf(*item));
      End(item, ItemEnd::kWithheld);
    }
  }
}

void Model::NotifyReaders(ModelStatement* statement, bool also_in_hand) {
  for (const auto& [serial, read] : statement->readers) {
    if (read->leased && !also_in_hand) {
      notices_due_.insert({now_us_ + 5'000'000, statement->id});
      continue;
    }
    std::pair<Text, Text> reader = {read->recipient, read->signal->id};
    if (!statement->noticed.insert(reader).second) continue;
    Count(kNotice);
    // Numbered within its command after everything else that it did.
    Place place = {position_, 1'000'000 + numbers_++};
    ModelItem& item = items_[reader.first][place];
    item.recipient = reader.first;
    item.place = place;
    item.notice_about = reader.second;
    item.acute = true;
    item.expires_ms = now_ms() + 90ull * 24 * 3600 * 1000;
    open_[reader.first][place] = &item;
  }
}

Text Model::Record(const ModelStatement& statement) {
  if (statements_.contains(statement.id)) return "";
  Count(kStatement);
  std::vector<ModelStatement*> covered;
  if (statement.objection) {
    for (const auto& id : statements_about_[statement.subject]) {
      auto& s = statements_.at(id);
      bool kept =
          std::find(statement.kept.begin(), statement.kept.end(), id) != statement.kept.end();
      if (s.objection || s.withdrawn || kept) continue;
      if (AxisCovers(statement.sender, s.sender) && AxisCovers(statement.recipient, s.recipient) &&
          (statement.case_id.empty() || statement.case_id == s.case_id) &&
          (statement.category.empty() || statement.category == s.category) &&
          (statement.purpose.empty() || statement.purpose == s.purpose)) {
        covered.push_back(&s);
      }
    }
  }
  std::sort(covered.begin(), covered.end(),
            [](const auto* a, const auto* b) { return a->id < b->id; });
  for (auto* s : covered) {
    s->withdrawn = true;
    Count(kWithdrawal);
  }
  statements_[statement.id] = statement;
  statements_about_[statement.subject].push_back(statement.id);
  if (statement.objection) RecheckQueued(statement.subject);
  for (auto* s : covered) NotifyReaders(s, false);
  return "";
}

Text Model::Withdraw(const Text& who, const Text& id) {
  auto found = statements_.find(id);
  if (found == statements_.end()) return RefusedAs(who, "NOT_FOUND");
  auto& s = found->second;
  if (s.recorder != who) return RefusedAs(who, "NOT_RECORDER");
  if (s.withdrawn) return RefusedAs(who, "ALREADY_WITHDRAWN");
  s.withdrawn = true;
  Count(kWithdrawal);
  RecheckQueued(s.subject);
  NotifyReaders(&s, false);
  return "";
}

bool Model::Covered(const Text& sender, const Text& recipient, const Text& subject,
                    const Text& category, const Text& purpose, const Text& case_id) {
  auto standing = Look(sender, recipient, subject, category, purpose, case_id);
  return !standing.objection && !standing.consents.empty();
}

// ---- Directory and policy ----

Text Model::Disable(const Text& oin) {
  auto& organisation = organisations_.at(oin);
  if (!organisation.enabled) return "";
  organisation.enabled = false;
  ++organisation.version;
  Count(kDirectory);
  return "";
}

Text Model::Admit(const Text& oin, uint64_t expected_version) {
  auto& organisation = organisations_.at(oin);
  if (organisation.enabled && organisation.version == expected_version + 1) return "";
  if (organisation.version != expected_version) return "STALE_VERSION";
  organisation.enabled = true;
  ++organisation.version;
  Count(kDirectory);
  return "";
}

void Model::Activate(bool strict) {
  if (strict_ == strict) return;
  strict_ = strict;
  Count(kActivation);
}

// ---- Time ----

void Model::Tick() {
  for (auto& [recipient, open] : open_) {
    auto copy = open;
    for (auto& [place, item] : copy) {
      if (item->leased && item->lease_until_us <= now_us_) {
        ++item->expired_leases;
        if (now_ms() < item->expires_ms && item->expired_leases >= 10) {
          Count(kExpiry, RecordsOf(*item));
          End(item, ItemEnd::kDeadLetter);
        } else {
          GiveBack(item);
        }
      } else if (!item->leased && item->expires_ms <= now_ms()) {
        Count(kExpiry, RecordsOf(*item));
        End(item, ItemEnd::kExpired);
      }
    }
  }
  while (!notices_due_.empty() && notices_due_.begin()->first <= now_us_) {
    NotifyReaders(&statements_.at(notices_due_.begin()->second), true);
    notices_due_.erase(notices_due_.begin());
  }
  for (auto it = denied_.begin(); it != denied_.end();) {
    if ((it->second.minute + 1) * kMinuteUs > now_us_) {
      ++it;
      continue;
    }
    if (it->second.suppressed > 0) Count(kDeniedAttempt);
    it = denied_.erase(it);
  }
}

bool Model::HasContent(const Text& sender, const Text& id) const {
  const auto& s = signals_.at({sender, id});
  for (size_t slot = 0; slot < s.recipients.size(); ++slot) {
    if (s.permitted[slot].empty()) continue;
    int last = feed_.at({sender, id, s.recipients[slot]}).back();
    if (last == kToldQueued || last == kToldDelivered) return true;
  }
  return false;
}

}  // namespace schakel::sim
