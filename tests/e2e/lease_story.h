// What tests of leases, order and slow readers share: one region whose broker's clock they move.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "tests/e2e/story.h"

namespace schakel::e2e {

constexpr auto kLease = std::chrono::seconds(30);  // the shortest
constexpr auto kPastLease = std::chrono::seconds(31);

class Leases : public SteeredTest {
 protected:
  // Arrears of the corporation to debt-relief; the signal's id.
  static Bytes SendArrears(std::optional<Millis> expires_in = std::nullopt) {
    auto draft = Arrears();
    draft.expires_in = expires_in;
    return Sent(Send(As("corporation"), draft));
  }
  // A report of the police to the centre; the signal's id.
  static Bytes Report(std::optional<CaseId> of, v1::Urgency urgency = v1::URGENCY_NORMAL) {
    const auto person = PersonBy(region(), "police", 21);
    EXPECT_TRUE(person.ok()) << Why(person);
    sdk::SignalDraft draft;
    draft.signal_type = "domestic-violence-report";
    draft.purpose = "stop-domestic-violence";
    draft.urgency = urgency;
    draft.case_id = std::move(of);
    draft.recipients.push_back(ToFunction("domestic-violence-centre", "dordrecht"));
    draft.subjects.push_back(*person);
    draft.sections.push_back(Section("social", "wmo-veilig-thuis", R"({"household_size":2})"));
    return Sent(Send(As("police"), draft));
  }
  static CaseId Case(char name) { return *CaseId::From(Bytes(16, name)); }

  static std::unique_ptr<sdk::PullStream> Pull(sdk::Session& who, uint32_t window = 16) {
    auto connection = who.connection();
    EXPECT_TRUE(connection.ok()) << Why(connection);
    return sdk::PullStream::Open(*connection, {.window = window, .lease = kLease});
  }
  // Which signal comes next on the stream; empty when none does.
  static Bytes NextOf(sdk::PullStream& stream, v1::Delivery* delivery) {
    const auto next = stream.Next(std::chrono::seconds(10));
    EXPECT_TRUE(next.ok()) << Why(next);
    if (!next.ok() || !next->has_value()) return {};
    *delivery = **next;
    return SignalOf(*delivery);
  }
  static Bytes SignalOf(const v1::Delivery& delivery) {
    v1::Header header;
    EXPECT_TRUE(header.ParseFromString(delivery.signal().header()));
    return header.signal_id();
  }
  // The state of a signal's only recipient, as the corporation's feed has it last.
  static v1::RecipientState LastState(const Bytes& signal) {
    const auto feed = FeedOf(As("corporation"), *SignalId::From(signal));
    EXPECT_TRUE(feed.ok() && !feed->empty()) << Why(feed);
    return feed.ok() && !feed->empty() ? feed->back().outcome().state()
                                       : v1::RECIPIENT_STATE_UNSPECIFIED;
  }
  // Timers fire within a tenth of a second. False when it has not become so within 10 s.
  static bool Becomes(const Bytes& signal, v1::RecipientState state) {
    for (int i = 0; i < 500; ++i) {
      if (LastState(signal) == state) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }

 private:
  static Bytes Sent(const Result<sdk::SendResult>& sent) {
    EXPECT_TRUE(sent.ok() && sent->all_queued()) << Why(sent);
    return sent.ok() ? sent->entry.signal_id() : Bytes();
  }
};

}  // namespace schakel::e2e
