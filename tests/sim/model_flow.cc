// What the chain director sees of those who have to act, and the reminders.
#include "tests/sim/model.h"
#include "tests/sim/model_numbers.h"

namespace schakel::sim {

// Seen by a tick: who has to act when a term ended before the signal did, and who failed ten times
// on a signal that has not ended.
void Model::ListStalled() {
  for (auto& [recipient, items] : items_) {
    for (auto& [place, item] : items) {
      if (item.signal == nullptr) continue;
      bool ended = now_ms() >= item.expires_ms;
      if (item.end == ItemEnd::kDeadLetter) {
        item.listed = !ended;
      } else if (item.end != ItemEnd::kOpen) {
        item.listed = false;
      } else if (!ended && item.signal->stalled_us != 0 && now_us_ >= item.signal->stalled_us) {
        item.listed = true;
      }
    }
  }
}

// A notice's end is looked at when it comes, and again when a lease ends that it found then.
std::vector<ModelItem*> Model::NoticesThatEnd() {
  std::vector<ModelItem*> ending;
  for (auto& [recipient, items] : items_) {
    for (auto& [place, item] : items) {
      if (item.signal != nullptr || item.forgotten || item.forget_us > now_us_) continue;
      if (item.leased && item.lease_until_us > item.forget_us) {
        item.forget_us = item.lease_until_us;
      } else {
        ending.push_back(&item);
      }
    }
  }
  return ending;
}

std::set<std::pair<Text, Text>> Model::Listed() const {
  std::set<std::pair<Text, Text>> signals;
  for (const auto& [recipient, items] : items_) {
    for (const auto& [place, item] : items) {
      bool shown = item.end == ItemEnd::kOpen || item.end == ItemEnd::kDeadLetter;
      if (item.listed && shown) signals.insert({item.signal->sender, item.signal->id});
    }
  }
  return signals;
}

std::vector<ModelItem*> Model::ListedOf(const Text& sender, const Text& id) {
  std::vector<ModelItem*> listed;
  auto signal = signals_.find({sender, id});
  if (signal == signals_.end()) return listed;
  for (const auto& recipient : signal->second.recipients) {
    for (auto& [place, item] : items_[recipient]) {
      if (item.signal != &signal->second || !item.listed) continue;
      if (item.end == ItemEnd::kOpen || item.end == ItemEnd::kDeadLetter) listed.push_back(&item);
    }
  }
  return listed;
}

Text Model::Remind(const Text& director, const Text& request, const Text& sender, const Text& id) {
  auto listed = ListedOf(sender, id);
  if (listed.empty()) return RefusedAs(director, "NOT_FOUND");
  ModelSignal& s = signals_.at({sender, id});
  if (s.reminder_id == request) return "";
  if (s.reminded_us != 0 && now_us_ < s.reminded_us + kDayUs) {
    return RefusedAs(director, "REMINDED_ALREADY");
  }
  Count(kReminder);
  for (const auto* of : listed) {
    Count(kNotice);
    Place place = {position_, numbers_++};
    ModelItem& notice = items_[of->recipient][place];
    notice.recipient = of->recipient;
    notice.place = place;
    notice.notice_about = of->shown.empty() ? "" : s.id;
    notice.acute = true;
    notice.expires_ms = now_ms() + kDayUs / 1000;
    notice.forget_us = notice.expires_ms * 1000;
    open_[of->recipient][place] = &notice;
  }
  s.reminded_us = now_us_;
  s.reminder_id = request;
  return "";
}

}  // namespace schakel::sim
