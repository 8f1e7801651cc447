#include "tests/unit/query/flow_history.h"

#include <algorithm>

#include "broker/machine/alias.h"
#include "broker/machine/context.h"

namespace schakel::query {

namespace sample = schakel::testing::sample;
using schakel::testing::SeededBytes;
using store::Family;

namespace {

constexpr uint64_t kDayUs = 86'400'000'000;
constexpr uint64_t kTermUs = 2 * kDayUs;
constexpr uint64_t kLifeUs = 60 * kDayUs;

struct Place {
  OrganisationId recipient;
  const char* function;
  const char* area;
};
const std::vector<Place>& Places() {
  static const std::vector<Place> places = {
      {sample::kDebtRelief, "debt-relief", "dordrecht"},
      {sample::kDebtRelief, "debt-relief", "papendrecht"},
      {sample::kTeam, "neighbourhood-team", "wielwijk"},
      {sample::kCentre, "domestic-violence-centre", "zuid-holland-zuid"},
      {sample::kCare, "", ""},
  };
  return places;
}

const std::vector<OrganisationId>& Senders() {
  static const std::vector<OrganisationId> senders = {sample::kCorporation, sample::kPolice,
                                                      sample::kCare};
  return senders;
}

constexpr const char* kTypes[] = {"rent-arrears", "domestic-violence-report", "debt"};

Bytes Pseudonym(uint64_t person) {
  return schakel::testing::Linked("person " + std::to_string(person)).pairs(0).value();
}

void AddPair(uint32_t epoch, const Bytes& value, v1::SubjectRef* ref) {
  auto* pair = ref->add_pairs();
  pair->set_epoch(epoch);
  pair->set_value(value);
}

}  // namespace

History RandomHistory(SeededBytes* random, uint64_t until_us) {
  History history;
  const uint64_t persons = 5 + random->Below(120);
  const uint64_t places = 1 + random->Below(Places().size());
  const uint64_t types = 1 + random->Below(3);
  const uint64_t days = random->Below(2) == 0 ? 60 : 400;
  const uint64_t count = random->Below(250);
  for (uint64_t i = 0; i < count; ++i) {
    const Place& place = Places()[random->Below(places)];
    PastSignal s{Senders()[random->Below(Senders().size())],
                 random->Take(16),
                 kTypes[random->Below(types)],
                 place.area,
                 place.recipient,
                 {},
                 {},
                 {}};
    if (random->Below(3) == 0) s.case_id = random->Take(16);
    for (uint64_t p = 0; p < 1 + random->Below(3); ++p) {
      const Bytes person = Pseudonym(random->Below(persons));
      const bool unlinked = random->Below(6) == 0;
      const bool attached = unlinked && random->Below(2) == 0;
      s.persons.push_back(!unlinked || attached ? person : "");
      s.unlinked.push_back(unlinked ? random->Take(32) : "");
    }
    s.sent_us = until_us - random->Below(days * kDayUs);
    s.attached_us = s.sent_us + random->Below(10 * kDayUs);
    if (random->Below(3) > 0) {
      s.ended_us = s.sent_us + 1 + random->Below(30 * kDayUs);
      s.refused = random->Below(3) == 0;
    } else {
      s.ended_us = s.sent_us + kLifeUs;  // nobody acts, and it expires
    }
    history.signals.push_back(std::move(s));
  }
  return AsOf(history, until_us);
}

History AsOf(const History& history, uint64_t time_us) {
  History out;
  for (PastSignal s : history.signals) {
    if (s.sent_us >= time_us) continue;
    if (s.ended_us >= time_us) {
      s.ended_us = 0;
      s.refused = false;
    }
    for (size_t p = 0; p < s.persons.size(); ++p) {
      if (!s.unlinked[p].empty() && s.attached_us >= time_us) s.persons[p] = "";
    }
    out.signals.push_back(std::move(s));
  }
  return out;
}

namespace {

// One signal with its keys, as a publish and what followed leave them.
void Write(const PastSignal& s, uint64_t place, uint64_t now_us, uint64_t* next_index,
           store::Batch* batch) {
  state::v1::SignalState signal;
  signal.set_position(place);
  signal.set_published_us(s.sent_us);
  signal.set_stalled_us(s.sent_us + kTermUs);
  signal.set_expires_ms((s.sent_us + kLifeUs) / 1000);
  signal.set_signal_type(s.type);
  signal.set_case_id(s.case_id);
  signal.set_alias("ZHZ-" + machine::AliasCode(merkle::AliasKey{}, place));
  const auto sender = s.sender;
  const auto id = *SignalId::From(s.id);
  for (size_t p = 0; p < s.persons.size(); ++p) {
    auto* routed = signal.add_subjects();
    const Bytes label(16, static_cast<char>(p + 1));
    routed->set_label(label);
    if (s.unlinked[p].empty()) {
      AddPair(1, s.persons[p], routed->mutable_ref());
      continue;
    }
    AddPair(0, s.unlinked[p], routed->mutable_ref());
    if (s.persons[p].empty()) continue;
    state::v1::AttachedSubject attached;
    AddPair(1, s.persons[p], attached.mutable_subject());
    attached.set_record_index(*next_index);
    batch->Put(Family::kHot, machine::keys::Attached(sender, id, label, s.recipient),
               attached.SerializeAsString());
    v1::Record record;
    record.set_time_us(s.attached_us);
    state::v1::StoredRecord stored;
    stored.set_record(record.SerializeAsString());
    batch->Put(Family::kRecords, machine::keys::Record((*next_index)++),
               stored.SerializeAsString());
  }
  auto* slot = signal.add_recipients();
  slot->add_permitted(0);
  slot->mutable_outcome()->set_recipient(s.recipient.str());
  for (const auto& known : Places()) {
    if (known.recipient != s.recipient || s.area != known.area || s.area.empty()) continue;
    slot->mutable_function()->set_function(known.function);
    slot->mutable_function()->set_area(known.area);
  }
  slot->mutable_outcome()->set_state(s.ended_us == 0 ? v1::RECIPIENT_STATE_QUEUED
                                     : s.refused     ? v1::RECIPIENT_STATE_REFUSED
                                                     : v1::RECIPIENT_STATE_ACKNOWLEDGED);
  machine::SetTimestamp(s.ended_us == 0 ? s.sent_us : s.ended_us,
                        slot->mutable_outcome()->mutable_changed());
  signal.add_feed_cursors(machine::ItemKey{place, 0}.Encode());
  batch->Put(Family::kHot, machine::keys::Signal(sender, id), signal.SerializeAsString());
  v1::OutcomeEvent accepted;
  accepted.set_cursor(signal.feed_cursors(0));
  accepted.set_signal_id(s.id);
  accepted.mutable_outcome()->set_state(v1::RECIPIENT_STATE_QUEUED);
  accepted.set_position(place);
  batch->Put(Family::kHot, machine::keys::Feed(sender, place, 0), accepted.SerializeAsString());
  if (s.ended_us != 0 || s.sent_us + kTermUs > now_us) return;
  state::v1::StalledItem listed;
  listed.set_recipient(s.recipient.str());
  listed.set_sender(sender.str());
  listed.set_signal_id(s.id);
  listed.set_signal_type(s.type);
  if (slot->has_function()) *listed.mutable_function() = slot->function();
  listed.set_since_us(s.sent_us);
  listed.set_term_us(kTermUs);
  batch->Put(Family::kHot, machine::keys::Stalled(signal.alias(), {place, 0}),
             listed.SerializeAsString());
}

}  // namespace

std::unique_ptr<store::testing::MemoryState> StateOf(const store::testing::MemoryState& begin,
                                                     const History& history, uint64_t now_us) {
  auto state = std::make_unique<store::testing::MemoryState>(begin);
  // In order of time, as commands are.
  std::vector<const PastSignal*> ordered;
  for (const auto& signal : history.signals) ordered.push_back(&signal);
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const auto* a, const auto* b) { return a->sent_us < b->sent_us; });
  store::Batch batch;
  uint64_t place = 1000;
  uint64_t next_index = 1'000'000;
  for (const auto* signal : ordered) Write(*signal, ++place, now_us, &next_index, &batch);
  SCHAKEL_CHECK(state->Commit(batch, state->position() + 1).ok(), "a history can be written");
  return state;
}

std::set<Bytes> SecretsOf(const History& history) {
  std::set<Bytes> secrets;
  for (const auto& s : history.signals) {
    secrets.insert(s.id);
    if (!s.case_id.empty()) secrets.insert(s.case_id);
    for (const auto& person : s.persons) {
      if (!person.empty()) secrets.insert(person);
    }
    for (const auto& value : s.unlinked) {
      if (!value.empty()) secrets.insert(value);
    }
  }
  return secrets;
}

}  // namespace schakel::query
