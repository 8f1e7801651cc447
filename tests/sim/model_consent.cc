// Statements, directory, policy and time in the model.
#include <algorithm>

#include "tests/sim/model.h"
#include "tests/sim/model_numbers.h"

namespace schakel::sim {

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
    item.forget_us = item.expires_ms * 1000;
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
  auto ending = NoticesThatEnd();
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
  for (auto* notice : ending) {
    for (const auto& delivery : notice->deliveries) deliveries_.erase(delivery);
    notice->forgotten = true;
  }
  ListStalled();
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
