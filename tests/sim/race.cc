#include "tests/sim/race.h"

#include <algorithm>
#include <deque>
#include <memory>

#include "tests/sim/convert.h"

namespace schakel::sim {

namespace sample = testing::sample;
using machine::Outcome;
using testing::MachineFixture;

namespace {

// Interleavings that share one store: it grows with them.
constexpr size_t kRacesPerStore = 2'000;

class Race {
 public:
  Race(MachineFixture* f, testing::SeededBytes* random, RaceResult* result)
      : f_(f), random_(random), result_(result) {}

  // The first thing that went wrong; empty when all held.
  std::string Run() {
    auto person = testing::Linked("race " + HexEncode(random_->Take(16)));
    subject_ = person.pairs(0).value();
    consent_ = f_->Record({.recorder = sample::kCare, .subject = person});
    const size_t signals = 1 + random_->Below(3);
    for (size_t i = 0; i < signals; ++i) {
      auto spec = f_->Avoidance(person);
      if (random_->Below(2) == 0) spec.urgency = v1::URGENCY_ACUTE;
      sent_.push_back(f_->Accept(spec).signal_id());
    }
    const size_t withdraw_at = random_->Below(8);
    std::string wrong;
    for (size_t i = 0; i < 8 && wrong.empty(); ++i) {
      if (i == withdraw_at) Withdraw();
      wrong = Step();
    }
    while (wrong.empty() && !waiting_.empty()) wrong = Write();
    if (!wrong.empty()) return wrong;
    return Finish();
  }

 private:
  std::string Step() {
    switch (random_->Below(6)) {
      case 0:
      case 1:
        return Deliver({});
      case 2:
        if (!fetch_ || random_->Below(2) == 0) fetch_ = random_->Make<RequestId>();
        return Deliver(fetch_);
      case 3:
        return Write();
      case 4:
        // A lease may run out before its write: the broker can't know that nobody read.
        lapsed_ |= !waiting_.empty();
        f_->AdvanceAndTick(std::chrono::seconds(random_->Below(90)));
        return "";
      default:
        if (!written_.empty()) {
          f_->DoAs(sample::kTeam, machine::Release{written_[random_->Below(written_.size())]});
        }
        return "";
    }
  }

  std::string Deliver(std::optional<RequestId> fetch) {
    Outcome outcome = f_->DoAs(
        sample::kTeam, machine::Deliver{static_cast<uint32_t>(1 + random_->Below(3)), 4u << 20,
                                        std::chrono::seconds(30 + random_->Below(60)), fetch});
    auto leased = std::get<machine::Leased>(std::move(outcome.answer));
    for (auto& item : leased.items) {
      if (!item.delivery.has_signal()) continue;  // a notice of this or an earlier race
      bool relies = false;
      for (const auto& receipt : item.delivery.signal().receipts()) {
        auto relied_on = ReliedOn(f_->state(), receipt.index());
        relies |= std::find(relied_on.begin(), relied_on.end(), consent_.str()) != relied_on.end();
      }
      if (relies && withdrawn_) return "I4: a delivery behind the withdrawal relies on it";
      if (relies &&
          std::find(item.subjects.begin(), item.subjects.end(), subject_) == item.subjects.end()) {
        return "I4: an item does not say about whom it is";
      }
      waiting_.push_back(std::move(item));
    }
    if (withdrawn_ && leased.items.empty()) ++result_->withheld;
    return "";
  }

  // The transport takes the oldest item that waits to be written.
  std::string Write() {
    if (waiting_.empty()) return "";
    auto item = std::move(waiting_.front());
    waiting_.pop_front();
    if (withdrawn_) return "I4: an item is written behind the withdrawal that it relied on";
    written_.push_back(item.delivery_id);
    ++result_->written;
    return "";
  }

  void Withdraw() {
    Outcome outcome = f_->Withdraw(sample::kCare, consent_);
    withdrawn_ = true;
    // What delivery does when the command is durable, before the withdrawal is answered.
    std::deque<machine::LeasedItem> still;
    for (auto& item : waiting_) {
      bool about = std::any_of(item.subjects.begin(), item.subjects.end(), [&](const Bytes& s) {
        const auto& changed = outcome.effects.changed_subjects;
        return std::find(changed.begin(), changed.end(), s) != changed.end();
      });
      if (!about) {
        still.push_back(std::move(item));
        continue;
      }
      f_->Do(machine::CancelDelivery{sample::kTeam, item.delivery_id});
      ++result_->cancelled;
    }
    waiting_ = std::move(still);
  }

  // Everything that was leased comes back, and nothing of it is left.
  std::string Finish() {
    if (!withdrawn_) Withdraw();
    f_->AdvanceAndTick(std::chrono::seconds(120));
    for (const auto& id : sent_) {
      if (f_->HasContent(sample::kCare, id)) return "content is kept after its withdrawal";
    }
    // Notices to who had read it; each is settled, so that the next race begins with nothing.
    for (const auto& item : f_->Pull(sample::kTeam).items) {
      if (!item.delivery.has_notice()) return "I4: something is left to be delivered";
      if (written_.empty() && !lapsed_) return "a notice to who read nothing";
      f_->Acknowledge(sample::kTeam, item.delivery_id);
    }
    return "";
  }

  MachineFixture* f_;
  testing::SeededBytes* random_;
  RaceResult* result_;
  Bytes subject_;
  StatementId consent_{};
  std::vector<Bytes> sent_;
  std::optional<RequestId> fetch_;
  std::deque<machine::LeasedItem> waiting_;
  std::vector<DeliveryId> written_;
  bool withdrawn_ = false;
  bool lapsed_ = false;
};

}  // namespace

RaceResult RunRaces(size_t races, uint64_t seed) {
  RaceResult result;
  std::unique_ptr<MachineFixture> fixture;
  for (; result.races < races; ++result.races) {
    if (result.races % kRacesPerStore == 0) {
      fixture = std::make_unique<MachineFixture>(seed + result.races);
    }
    const uint64_t race_seed = seed * 1'000'003 + result.races;
    testing::SeededBytes random(race_seed);
    std::string wrong = Race(fixture.get(), &random, &result).Run();
    if (!wrong.empty()) {
      result.wrong =
          "seed " + std::to_string(seed) + ", race " + std::to_string(result.races) + ": " + wrong;
      return result;
    }
  }
  return result;
}

}  // namespace schakel::sim
