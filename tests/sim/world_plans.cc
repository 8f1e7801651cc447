// What the world does next: each plan is a command and what the model says of it.
#include <algorithm>

#include "tests/sim/convert.h"
#include "tests/sim/world.h"

namespace schakel::sim {

namespace sample = testing::sample;
using machine::Outcome;

namespace {

constexpr size_t kSubjects = 8;

uint64_t MicrosOf(const machine::Command& command) {
  return static_cast<uint64_t>(command.time.count());
}

}  // namespace

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
    if (expected != found) return Difference("reason of refusal", expected, found);
    return outcome.refused ? "" : accepted(outcome);
  };
  return {std::move(command), std::move(check)};
}

World::Planned World::ByBroker(machine::Request request, std::function<void()> model) {
  auto command = factory_.Make(std::move(request));
  auto time_us = MicrosOf(command);
  return {std::move(command), [this, time_us, model = std::move(model)](const Outcome& outcome) {
            model_.Begin(time_us);
            if (outcome.refused) return Difference("refusal", "", outcome.refused->reason);
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
    std::pair<Text, Text> signal = {sent.signal.sender, sent.signal.id};
    auto [known, fresh] = aliases_.emplace(answer.alias(), signal);
    if (known->second != signal) return "an alias that another signal has";
    if (fresh) told_.push_back(answer.alias());
    if (static_cast<size_t>(answer.outcomes_size()) != queued.size())
      return "outcomes of a publish";
    for (size_t i = 0; i < queued.size(); ++i) {
      bool found = answer.outcomes(static_cast<int>(i)).state() == v1::RECIPIENT_STATE_QUEUED;
      if (found != queued[i]) {
        return Difference("publish to a recipient", queued[i] ? "queued" : "denied",
                          answer.outcomes(static_cast<int>(i)).reason());
      }
    }
    return "";
  };
  return By(who, machine::PublishEnvelope{sent.envelope}, accepted, model);
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

World::Planned World::PlanRemind() {
  Text alias = told_.empty() || Chance(5) ? "ZHZ-0000" : told_[Below(told_.size())];
  auto listed = model_.Listed();
  for (const auto& [known, signal] : aliases_) {
    if (listed.contains(signal) && Chance(50)) alias = known;
  }
  // Now and then the same request again.
  if (reminders_.empty() || Chance(80)) reminders_.push_back(random_.Make<RequestId>());
  RequestId request = reminders_.back();
  return By(
      sample::kChainDirector, machine::Remind{request, alias},
      [this](const Outcome& outcome) {
        ++stats_.reminders;
        const auto& answer = std::get<v1::RemindResponse>(outcome.answer);
        return answer.reminded() == 0 ? std::string("a reminder of nobody") : std::string();
      },
      [this, request, alias] {
        auto known = aliases_.find(alias);
        auto signal = known == aliases_.end() ? std::pair<Text, Text>() : known->second;
        return model_.Remind(sample::kChainDirector.str(), request.str(), signal.first,
                             signal.second);
      });
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
  uint64_t pace = Below(1000);
  uint64_t most_us = pace < 700   ? 2'000'000
                     : pace < 950 ? 30'000'000
                     : pace < 990 ? 600'000'000
                     : pace < 998 ? 10'800'000'000
                                  : 100'000'000'000;  // a long night: terms end
  factory_.Advance(Micros(Below(most_us)));
  uint64_t choice = Below(1000);
  if (choice < 300) return PlanPublish();
  if (choice < 540) return PlanDeliver();
  if (choice < 720) return PlanSettle();
  if (choice < 740) return PlanReport();
  if (choice < 830) return PlanLease();
  if (choice < 885) return PlanStatement(false);
  if (choice < 903) return PlanStatement(true);
  if (choice < 930) return PlanWithdraw();
  if (choice < 940) return PlanCheckConsent();
  if (choice < 950) return PlanDirectory();
  if (choice < 953) return PlanPolicy();
  if (choice < 961) return PlanRemind();
  if (choice < 985) return PlanTick();
  return PlanBroker();
}

}  // namespace schakel::sim
