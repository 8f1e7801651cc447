// INVARIANT I7: a signal id of a sender is accepted once.
#include <gtest/gtest.h>

#include "tests/support/machine_fixture.h"

namespace schakel::testing {
namespace {

using namespace std::chrono_literals;

TEST(Once, TheSameEnvelopeGetsItsFirstAnswerAndLeavesNoRecord) {
  MachineFixture f;
  auto spec = f.Arrears();
  spec.recipients.emplace_back(sample::kPolice);
  auto parsed = f.Parsed(spec);
  auto first = f.Publish(parsed);
  auto size = f.machine().TreeHead().size;
  for (int i = 0; i < 10; ++i) {
    if (i == 5) f.Reload();
    f.Advance(1h);
    auto again = f.Publish(parsed);
    ASSERT_FALSE(again.refused);
    EXPECT_EQ(std::get<v1::SignalAccepted>(first.answer).SerializeAsString(),
              std::get<v1::SignalAccepted>(again.answer).SerializeAsString());
  }
  EXPECT_EQ(f.machine().TreeHead().size, size);
  EXPECT_EQ(f.Pull(sample::kDebtRelief).items.size(), 1u);
}

TEST(Once, TheFirstAnswerStandsWhateverBecameOfTheSignal) {
  MachineFixture f;
  auto parsed = f.Parsed(f.Arrears());
  auto first = f.Publish(parsed);
  auto leased = f.Pull(sample::kDebtRelief);
  f.Refuse(sample::kDebtRelief, leased.items.at(0).delivery_id, "not-ours");
  auto again = f.Publish(parsed);
  EXPECT_EQ(std::get<v1::SignalAccepted>(first.answer).SerializeAsString(),
            std::get<v1::SignalAccepted>(again.answer).SerializeAsString());
}

TEST(Once, AKnownEnvelopeIsAnsweredWhateverItsAge) {
  MachineFixture f;
  auto parsed = f.Parsed(f.Arrears());
  f.Publish(parsed);
  f.AdvanceAndTick(30 * 24h);
  EXPECT_FALSE(f.Publish(parsed).refused);
}

TEST(Once, AnotherDigestUnderTheSameIdIsRefusedAndRecorded) {
  MachineFixture f;
  auto spec = f.Arrears();
  spec.signal_id = f.random().Make<SignalId>();
  f.Accept(spec);
  auto outcome = f.Publish(spec);  // other random bytes, so another digest
  ASSERT_TRUE(outcome.refused);
  EXPECT_EQ(outcome.refused->code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(outcome.refused->reason, "ALREADY_EXISTS");
  auto records = f.RecordsOf(v1::RECORD_KIND_DENIED_ATTEMPT);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].reason(), "ALREADY_EXISTS");
  EXPECT_EQ(records[0].signal_id(), spec.signal_id->str());
  EXPECT_EQ(records[0].facts().rpc(), "Publish");
  EXPECT_EQ(f.Pull(sample::kDebtRelief).items.size(), 1u);
}

TEST(Once, ADecisionThatDeniedAllIsFinalToo) {
  MachineFixture f;
  auto spec = f.Avoidance(Linked("person"));
  auto parsed = f.Parsed(spec);
  auto first = f.Publish(parsed);
  f.Record({.recorder = sample::kCare, .subject = Linked("person")});
  auto again = f.Publish(parsed);
  EXPECT_EQ(std::get<v1::SignalAccepted>(first.answer).SerializeAsString(),
            std::get<v1::SignalAccepted>(again.answer).SerializeAsString());
}

TEST(Once, TheSameIdOfAnotherSenderIsAnotherSignal) {
  MachineFixture f;
  auto spec = f.Violence(Linked("person"));
  spec.signal_id = f.random().Make<SignalId>();
  f.Accept(spec);
  spec.sender = sample::kCare;
  EXPECT_FALSE(f.Publish(spec).refused);
}

TEST(Once, NobodyElseLearnsThatAnIdIsKnown) {
  MachineFixture f;
  auto parsed = f.Parsed(f.Arrears());
  f.Publish(parsed);
  auto outcome = f.DoAs(sample::kPolice, machine::PublishEnvelope{parsed});
  ASSERT_TRUE(outcome.refused);
  EXPECT_EQ(outcome.refused->reason, "SENDER_MISMATCH");
}

TEST(Publish, ChecksTimesAgainstTheCommandsTime) {
  MachineFixture f;
  auto refused_as = [&](Micros from_now, Millis lifetime) {
    auto spec = f.Arrears();
    spec.lifetime = lifetime;
    f.Advance(24h + 10min);
    auto parsed = f.Parsed(spec);
    // Moves the machine instead of the envelope: created lies `from_now` of the command.
    f.Advance(-from_now);
    auto outcome = f.Publish(parsed);
    if (from_now > 0us) f.Advance(from_now);
    return outcome.refused ? outcome.refused->reason : "";
  };
  EXPECT_EQ(refused_as(5min, 1h), "");
  EXPECT_EQ(refused_as(5min + 1ms, 1h), "CREATED_IN_FUTURE");
  EXPECT_EQ(refused_as(-24h, 48h), "");
  EXPECT_EQ(refused_as(-24h - 1ms, 48h), "CREATED_TOO_OLD");
  EXPECT_EQ(refused_as(0us, 90 * 24h), "");
  EXPECT_EQ(refused_as(0us, 90 * 24h + 1ms), "EXPIRY_OUT_OF_RANGE");
  EXPECT_EQ(refused_as(-1h, 1h), "EXPIRY_OUT_OF_RANGE");
  EXPECT_EQ(refused_as(-1h, 1h + 1ms), "");
}

TEST(Publish, ChecksWhoAndWhere) {
  MachineFixture f;
  auto spec = f.Arrears();
  auto with = [&](auto change) {
    auto envelope = f.Envelope(spec);
    v1::Header header;
    EXPECT_TRUE(header.ParseFromString(envelope.header()));
    v1::Routing routing;
    EXPECT_TRUE(routing.ParseFromString(envelope.routing()));
    change(&header, &routing);
    envelope.set_header(header.SerializeAsString());
    envelope.set_routing(routing.SerializeAsString());
    SetValues(&envelope, &f.random());
    auto parsed = machine::ParseEnvelope(envelope);
    EXPECT_TRUE(parsed.ok());
    return f.Publish(*parsed).refused.value_or(Error{}).reason;
  };
  EXPECT_EQ(with([](auto* h, auto*) { h->set_region("elsewhere.example"); }), "REGION_WRONG");
  EXPECT_EQ(with([](auto*, auto* r) { r->set_actor("user-2"); }), "ACTOR_MISMATCH");
  EXPECT_EQ(with([](auto* h, auto*) { h->set_sender_key_set_digest(Bytes(32, 'x')); }),
            "KEY_SET_UNKNOWN");
  EXPECT_EQ(with([](auto*, auto* r) {
              r->mutable_subjects(0)->mutable_ref()->mutable_pairs(0)->set_epoch(2);
            }),
            "SUBJECT_REF_INVALID");
  EXPECT_EQ(with([](auto* h, auto*) { h->set_signal_type("astrology"); }), "");
}

}  // namespace
}  // namespace schakel::testing
