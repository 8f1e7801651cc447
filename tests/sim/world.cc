#include "tests/sim/world.h"

#include <algorithm>

#include "broker/machine/log_tree.h"
#include "broker/merkle/entry.h"
#include "broker/store/overlay_view.h"
#include "tests/sim/convert.h"

namespace schakel::sim {

namespace sample = testing::sample;
using machine::Outcome;
using store::Family;

namespace {

constexpr size_t kSubjects = 8;

std::string Text3(const char* what, const std::string& expected, const std::string& found) {
  return std::string(what) + ": expected '" + expected + "', found '" + found + "'";
}

uint64_t MicrosOf(const machine::Command& command) {
  return static_cast<uint64_t>(command.time.count());
}

}  // namespace

World::World(uint64_t seed)
    : factory_(seed),
      random_(seed * 7919 + 1),
      state_(std::make_unique<store::testing::MemoryState>(factory_.state())),
      model_(factory_.machine().meta().position()),
      strict_(StrictBundle()) {
  for (const auto& member : Members()) {
    model_.AddOrganisation(member.oin.str(), member.sector, member.functions, member.bsn_authority);
  }
  model_.AddOrganisation(sample::kRegistrar.str(), "", {}, false);
  for (int i = 0; i < 3; ++i) cases_.push_back(random_.Make<CaseId>());
  records_checked_ = factory_.machine().TreeHead().size;
  Restart();
}

void World::Restart() {
  auto loaded = machine::Machine::Load(*state_);
  SCHAKEL_CHECK(loaded.ok(), "the machine loads what it wrote");
  machine_ = *std::move(loaded);
  ++stats_.restarts;
}

// ---- Choices ----

// The last four are those that any rule lets receive.
const OrganisationId& World::Anyone() {
  size_t receivers = Chance(70) ? 4 : Members().size();
  return Members()[Members().size() - receivers + Below(receivers)].oin;
}

v1::SubjectRef World::AnySubject() {
  return testing::Linked("subject " + std::to_string(Below(kSubjects)));
}

std::optional<CaseId> World::AnyCase() {
  if (Chance(50)) return std::nullopt;
  return cases_[Below(cases_.size())];
}

DeliveryId World::AnyDelivery(const OrganisationId& who) {
  const auto& recent = model_.recent(who.str());
  if (recent.empty() || Chance(1)) return random_.Make<DeliveryId>();
  return *DeliveryId::From(recent[Below(recent.size())]);
}

v1::PartyAxis World::AnyAxis() {
  const auto& member = Members()[Below(Members().size())];
  switch (Below(5)) {
    case 0:
      return testing::SectorAxis(member.sector);
    case 1:
      return testing::OrganisationAxis(member.oin);
    case 2:
      if (!member.functions.empty()) {
        return testing::FunctionAxis(*member.functions.begin(), Chance(50) ? "dordrecht" : "");
      }
      break;
    default:
      break;
  }
  return {};
}

// ---- Plans ----

World::Planned World::By(const OrganisationId& who, machine::Request request, Check accepted,
                         std::function<Text()> model) {
  uint64_t version = model_.version(who.str());
  if (Chance(2)) --version;
  machine::Caller caller{who, version, "user-1", "professional", {}};
  auto command = factory_.Make(std::move(request), caller);
  auto time_us = MicrosOf(command);
  auto check = [this, who, version, time_us, accepted = std::move(accepted),
                model = std::move(model)](const Outcome& outcome) -> std::string {
    model_.Begin(time_us);
    Text expected = model_.Caller(who.str(), version);
    if (expected.empty()) expected = model();
    Text found = outcome.refused ? outcome.refused->reason : "";
    if (outcome.refused) ++stats_.refused;
    if (expected != found) return Text3("reason of refusal", expected, found);
    return outcome.refused ? "" : accepted(outcome);
  };
  return {std::move(command), std::move(check)};
}

World::Planned World::ByBroker(machine::Request request, std::function<void()> model) {
  auto command = factory_.Make(std::move(request));
  auto time_us = MicrosOf(command);
  return {std::move(command), [this, time_us, model = std::move(model)](const Outcome& outcome) {
            model_.Begin(time_us);
            if (outcome.refused) return Text3("refusal", "", outcome.refused->reason);
            model();
            return std::string();
          }};
}

World::Planned World::PlanPublish() {
  Sent sent;
  if (!sent_.empty() && Chance(8)) {
    sent = sent_[sent_.size() - 1 - Below(std::min<size_t>(sent_.size(), 30))];
  } else {
    auto spec = RandomSignal(&random_, AnyCase());
    if (!sent_.empty() && Chance(3)) {
      const auto& before = sent_[Below(sent_.size())].signal;
      spec.sender = *OrganisationId::From(before.sender);
      spec.signal_id = SignalId::From(before.id);
    }
    sent.envelope = factory_.Parsed(spec);
    sent.signal = ToModel(*sent.envelope, spec);
    sent_.push_back(sent);
  }
  OrganisationId who = sent.envelope->sender;
  auto model = [this, sent]() -> Text {
    const auto& s = sent.signal;
    uint64_t now_ms = model_.now_us() / 1000;
    if (!model_.signals().contains({s.sender, s.id})) {
      Text late;
      if (sent.envelope->header.created_ms() + 24ull * 3600 * 1000 < now_ms) {
        late = "CREATED_TOO_OLD";
      } else if (s.expires_ms <= now_ms) {
        late = "EXPIRY_OUT_OF_RANGE";
      }
      if (!late.empty()) model_.Denied(s.sender, late);
      if (!late.empty()) return late;
    }
    return model_.Publish(s, s.sender);
  };
  auto accepted = [this, sent](const Outcome& outcome) -> std::string {
    const auto& answer = std::get<v1::SignalAccepted>(outcome.answer);
    auto queued = model_.FirstAnswer(sent.signal.sender, sent.signal.id);
    if (static_cast<size_t>(answer.outcomes_size()) != queued.size())
      return "outcomes of a publish";
    for (size_t i = 0; i < queued.size(); ++i) {
      bool found = answer.outcomes(static_cast<int>(i)).state() == v1::RECIPIENT_STATE_QUEUED;
      if (found != queued[i]) {
        return Text3("publish to a recipient", queued[i] ? "queued" : "denied",
                     answer.outcomes(static_cast<int>(i)).reason());
      }
    }
    return "";
  };
  return By(who, machine::PublishEnvelope{sent.envelope}, accepted, model);
}

std::string World::CheckHandedOver(const machine::Leased& leased,
                                   const std::vector<ModelHandOver>& expected, const Text& who) {
  if (leased.items.size() != expected.size()) {
    return Text3("items of a delivery", std::to_string(expected.size()),
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

World::Planned World::PlanDeliver() {
  OrganisationId who = Anyone();
  machine::Deliver deliver{
      static_cast<uint32_t>(1 + Below(5)), 4u << 20, std::chrono::seconds(30 + Below(600)), {}};
  if (Chance(20)) {
    Text again = model_.AnyFetch(who.str());
    deliver.fetch_id =
        !again.empty() && Chance(50) ? RequestId::From(again) : random_.Make<RequestId>();
  }
  Text fetch = deliver.fetch_id ? deliver.fetch_id->str() : "";
  auto handed = std::make_shared<std::vector<ModelHandOver>>();
  auto more = std::make_shared<bool>(false);
  auto model = [this, who, deliver, fetch, handed, more]() -> Text {
    *handed = model_.Deliver(who.str(), deliver.items_max,
                             static_cast<uint64_t>(deliver.lease.count()), fetch, more.get());
    return "";
  };
  auto accepted = [this, who, fetch, handed, more](const Outcome& outcome) -> std::string {
    const auto& leased = std::get<machine::Leased>(outcome.answer);
    std::string wrong = CheckHandedOver(leased, *handed, who.str());
    if (!wrong.empty()) return wrong;
    if (leased.more != *more) return "whether a delivery left something";
    std::vector<Text> ids;
    for (const auto& item : leased.items) ids.push_back(item.delivery_id.str());
    model_.NameDeliveries(who.str(), *handed, ids, fetch);
    return "";
  };
  return By(who, deliver, accepted, model);
}

World::Planned World::PlanSettle() {
  OrganisationId who = Anyone();
  DeliveryId delivery = AnyDelivery(who);
  auto fine = [](const Outcome&) { return std::string(); };
  if (Chance(80)) {
    return By(who, machine::Acknowledge{delivery}, fine,
              [this, who, delivery] { return model_.Acknowledge(who.str(), delivery.str()); });
  }
  machine::Refuse refuse{delivery, {}};
  refuse.request.set_reason_code("not-ours");
  return By(who, refuse, fine,
            [this, who, delivery] { return model_.Refuse(who.str(), delivery.str()); });
}

World::Planned World::PlanLease() {
  OrganisationId who = Anyone();
  DeliveryId delivery = AnyDelivery(who);
  auto fine = [](const Outcome&) { return std::string(); };
  switch (Below(4)) {
    case 0:
      return By(who, machine::Release{delivery}, fine,
                [this, who, delivery] { return model_.Release(who.str(), delivery.str()); });
    case 1: {
      Micros lease = std::chrono::seconds(30 + Below(3600));
      return By(who, machine::Extend{delivery, lease}, fine, [this, who, delivery, lease] {
        return model_.Extend(who.str(), delivery.str(), static_cast<uint64_t>(lease.count()));
      });
    }
    case 2:
      return ByBroker(machine::CancelDelivery{who, delivery},
                      [this, who, delivery] { model_.Cancel(who.str(), delivery.str()); });
    default: {
      machine::ReleaseStream release{who, {}};
      std::vector<Text> ids;
      for (uint64_t i = 0; i < 1 + Below(4); ++i) {
        release.deliveries.push_back(AnyDelivery(who));
        ids.push_back(release.deliveries.back().str());
      }
      return ByBroker(release, [this, who, ids] { model_.ReleaseStream(who.str(), ids); });
    }
  }
}

World::Planned World::PlanStatement(bool objection) {
  testing::StatementSpec spec{.recorder = Anyone(), .subject = AnySubject()};
  if (objection) spec.kind = v1::STATEMENT_KIND_OBJECTION;
  spec.sender = AnyAxis();
  spec.recipient = AnyAxis();
  if (Chance(15)) spec.case_id = AnyCase();
  if (Chance(20)) spec.category = Chance(50) ? "social" : "finances";
  if (Chance(20)) spec.purpose = Chance(50) ? "coordinate-care" : "prevent-eviction";
  if (!objection && Chance(20)) spec.starts_in = std::chrono::seconds(Below(600));
  spec.lasts = std::chrono::seconds(Chance(30) ? 60 + Below(3600) : 86'400 * 10);
  if (objection && Chance(30) && !model_.statements().empty()) {
    auto it = model_.statements().lower_bound(random_.Take(16));
    if (it != model_.statements().end()) spec.kept.push_back(*StatementId::From(it->first));
  }
  auto command = factory_.Statement(spec);
  auto statement = ToModel(command.statement);
  return By(
      spec.recorder, command, [](const Outcome&) { return std::string(); },
      [this, statement] { return model_.Record(statement); });
}

World::Planned World::PlanWithdraw() {
  if (model_.statements().empty()) return PlanStatement(false);
  auto it = model_.statements().lower_bound(random_.Take(16));
  if (it == model_.statements().end()) it = model_.statements().begin();
  const auto& s = it->second;
  OrganisationId who = Chance(90) ? *OrganisationId::From(s.recorder) : Anyone();
  auto command = factory_.Withdrawal(who, *StatementId::From(s.id));
  return By(
      who, command, [](const Outcome&) { return std::string(); },
      [this, who, id = s.id] { return model_.Withdraw(who.str(), id); });
}

World::Planned World::PlanCheckConsent() {
  OrganisationId who = Anyone();
  OrganisationId to = Anyone();
  machine::CheckConsent check;
  *check.request.mutable_subject() = AnySubject();
  check.request.mutable_recipient()->set_oin(to.str());
  check.request.set_category(Chance(50) ? "social" : "finances");
  check.request.set_purpose(Chance(50) ? "coordinate-care" : "prevent-eviction");
  if (auto case_id = AnyCase()) check.request.set_case_id(case_id->str());
  auto covered = std::make_shared<bool>(false);
  return By(
      who, check,
      [covered](const Outcome& outcome) -> std::string {
        bool found = std::get<v1::CheckConsentResponse>(outcome.answer).covered();
        return found == *covered ? "" : "whether a consent covers";
      },
      [this, who, to, request = check.request, covered]() -> Text {
        model_.Consulted();
        *covered = model_.Covered(who.str(), to.str(), request.subject().pairs(0).value(),
                                  request.category(), request.purpose(), request.case_id());
        return "";
      });
}

World::Planned World::PlanDirectory() {
  const auto& about = Members()[Chance(50) ? 5 : Below(Members().size())].oin;
  auto fine = [](const Outcome&) { return std::string(); };
  if (model_.enabled(about.str()) && Chance(15)) {
    machine::DisableOrganisation disable;
    disable.request.set_oin(about.str());
    disable.request.set_reason("test");
    return By(sample::kRegistrar, disable, fine,
              [this, about] { return model_.Disable(about.str()); });
  }
  machine::AdmitOrganisation admit;
  *admit.request.mutable_organisation() = factory_.OrganisationOf(about);
  uint64_t version = model_.version(about.str()) - (model_.enabled(about.str()) ? 1 : 0);
  admit.request.set_expected_version(version);
  return By(sample::kRegistrar, admit, fine,
            [this, about, version] { return model_.Admit(about.str(), version); });
}

World::Planned World::PlanPolicy() {
  bool strict = Chance(30);
  const auto& bundle = strict ? strict_ : testing::Reference();
  return By(
      sample::kRegistrar, machine::ActivatePolicy{bundle.bytes, bundle.digest, bundle.compiled},
      [](const Outcome&) { return std::string(); },
      [this, strict]() -> Text {
        model_.Activate(strict);
        return "";
      });
}

World::Planned World::PlanTick() {
  auto planned = ByBroker(machine::Tick{}, [] {});
  auto time_us = MicrosOf(planned.command);
  planned.check = [this, time_us](const Outcome& outcome) -> std::string {
    model_.Begin(time_us);
    // One that did not get to the end is followed by another of the same time.
    if (!outcome.effects.timers_left) model_.Tick();
    return "";
  };
  return planned;
}

World::Planned World::PlanBroker() {
  switch (Below(3)) {
    case 0:
      return ByBroker(machine::Sweep{}, [] {});
    case 1:
      return ByBroker(machine::ReleaseLeftovers{}, [this] { model_.ReleaseLeftovers(); });
    default:
      // Now and then more in a minute than are recorded one by one.
      if (Chance(20)) burst_ = 15;
      return PlanDenied(Anyone().str());
  }
}

World::Planned World::PlanDenied(const Text& who) {
  return ByBroker(machine::DeniedAttempt{who, "SIGNATURE_INVALID", "Publish"},
                  [this, who] { model_.Denied(who, "SIGNATURE_INVALID"); });
}

World::Planned World::Plan() {
  if (burst_ > 0) {
    --burst_;
    return PlanDenied(Members()[0].oin.str());
  }
  uint64_t pace = Below(100);
  uint64_t most_us = pace < 70   ? 2'000'000
                     : pace < 95 ? 30'000'000
                     : pace < 99 ? 600'000'000
                                 : 10'800'000'000;
  factory_.Advance(Micros(Below(most_us)));
  uint64_t choice = Below(1000);
  if (choice < 300) return PlanPublish();
  if (choice < 540) return PlanDeliver();
  if (choice < 740) return PlanSettle();
  if (choice < 830) return PlanLease();
  if (choice < 885) return PlanStatement(false);
  if (choice < 903) return PlanStatement(true);
  if (choice < 930) return PlanWithdraw();
  if (choice < 940) return PlanCheckConsent();
  if (choice < 950) return PlanDirectory();
  if (choice < 953) return PlanPolicy();
  if (choice < 985) return PlanTick();
  return PlanBroker();
}

// ---- Batches ----

std::string World::Apply(std::vector<Planned>* planned, store::Batch* batch,
                         std::vector<Outcome>* outcomes) {
  const store::OverlayView view(*state_, {batch});
  for (size_t i = 0; i < planned->size(); ++i) {
    auto outcome = machine_->Apply(view, batch, (*planned)[i].command);
    if (!outcome.ok()) return "the machine failed: " + outcome.error().message;
    bool again = outcome->effects.timers_left &&
                 (i + 1 == planned->size() ||
                  !std::holds_alternative<machine::Tick>((*planned)[i + 1].command.request));
    if (again) {
      // The same moment, whatever the factory's time is by now.
      Planned tick = PlanTick();
      auto time = (*planned)[i].command.time;
      tick.command.time = time;
      tick.check = [this, time](const Outcome& o) -> std::string {
        model_.Begin(static_cast<uint64_t>(time.count()));
        if (!o.effects.timers_left) model_.Tick();
        return "";
      };
      planned->insert(planned->begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(tick));
    }
    outcomes->push_back(*std::move(outcome));
  }
  machine_->FinishBatch(batch);
  return "";
}

std::string World::RunBatch(std::vector<Planned> planned) {
  store::Batch batch;
  std::vector<Outcome> outcomes;
  std::string wrong = Apply(&planned, &batch, &outcomes);
  if (!wrong.empty()) return wrong;
  ++stats_.batches;
  bool stands = true;
  if (Below(1000) < 4) {
    ++stats_.failed_writes;
    bool kept = Chance(50);
    state_->FailNextCommit(kept);
    bool committed = state_->Commit(batch, outcomes.back().position).ok();
    if (committed) return "a failed write that was none";
    // INVARIANT I1: what was applied is discarded, and the process starts anew from the disk.
    state_ = std::make_unique<store::testing::MemoryState>(*state_);
    Restart();
    stands = kept;
    if (!kept && Chance(50)) return RunBatch(std::move(planned));  // all are tried again
  } else if (!state_->Commit(batch, outcomes.back().position).ok()) {
    return "a commit failed";
  }
  if (!stands) return "";
  for (size_t i = 0; i < planned.size(); ++i) {
    wrong = planned[i].check(outcomes[i]);
    if (!wrong.empty()) {
      return wrong + " (" + NameOf(planned[i].command) + " at position " +
             std::to_string(outcomes[i].position) + ")";
    }
    if (outcomes[i].position != model_.position()) return "positions differ";
    applied_.push_back(std::move(planned[i].command));
  }
  if (Below(1000) < 4) Restart();
  return CheckRecords();
}

std::string World::Run(size_t steps) {
  size_t done = 0;
  while (done < steps) {
    size_t commands = std::min<size_t>(1 + Below(Chance(10) ? 40 : 6), steps - done);
    std::vector<Planned> planned;
    for (size_t i = 0; i < commands; ++i) planned.push_back(Plan());
    std::string wrong = RunBatch(std::move(planned));
    if (wrong.empty() && stats_.batches % 20 == 0) wrong = CheckQueues();
    if (wrong.empty() && stats_.batches % 20 == 10) wrong = CheckFeed();
    done += commands;
    stats_.steps += commands;
    if (!wrong.empty()) return "step " + std::to_string(stats_.steps) + ": " + wrong;
  }
  for (auto check : {&World::CheckQueues, &World::CheckFeed, &World::CheckContent,
                     &World::CheckTree, &World::CheckOtherBatches}) {
    std::string wrong = (this->*check)();
    if (!wrong.empty()) return "after step " + std::to_string(stats_.steps) + ": " + wrong;
  }
  stats_.records = machine_->TreeHead().size;
  return "";
}

// ---- Invariants ----

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
      return Text3(v1::RecordKind_Name(static_cast<v1::RecordKind>(kind)).c_str(),
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
        return Text3("items in a queue", std::to_string(expected.size()),
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
              event.outcome().state());
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
