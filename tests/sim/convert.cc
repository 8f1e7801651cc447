#include "tests/sim/convert.h"

namespace schakel::sim {

namespace sample = testing::sample;

namespace {

ModelAxis ToModel(const v1::PartyAxis& axis) {
  switch (axis.party_case()) {
    case v1::PartyAxis::kSector:
      return {ModelAxis::kSector, axis.sector()};
    case v1::PartyAxis::kFunction: {
      const auto& function = axis.function();
      return {ModelAxis::kFunction, function.area().empty()
                                        ? function.function()
                                        : function.function() + "@" + function.area()};
    }
    case v1::PartyAxis::kOrganisation:
      return {ModelAxis::kOrganisation, axis.organisation()};
    case v1::PartyAxis::PARTY_NOT_SET:
      break;
  }
  return {};
}

struct Kind {
  const char* type;
  const char* purpose;
  std::vector<OrganisationId> senders;
  std::vector<OrganisationId> recipients;
  std::vector<const char*> categories;
  std::vector<const char*> grounds;
};

const std::vector<Kind>& Kinds() {
  using namespace sample;
  static const std::vector<Kind> kinds = {
      {"rent-arrears",
       "prevent-eviction",
       {kCorporation},
       {kDebtRelief, kDebtRelief, kTeam},
       {"finances", "housing"},
       {"wgs-debt", "wgs-debt", "consent"}},
      {"domestic-violence-report",
       "stop-domestic-violence",
       {kPolice, kCare, kTeam, kCentre},
       {kCentre, kTeam},
       {"safety", "social"},
       {"wmo-veilig-thuis"}},
      {"care-avoidance",
       "coordinate-care",
       {kCare, kCorporation, kDebtRelief, kTeam},
       {kTeam, kCare},
       {"daily-living", "social"},
       {"consent"}},
  };
  return kinds;
}

template <typename T>
const T& AnyOf(testing::SeededBytes* random, const std::vector<T>& list) {
  return list[random->Below(list.size())];
}

const OrganisationId& AnyMember(testing::SeededBytes* random) {
  return AnyOf(random, Members()).oin;
}

struct CommandName {
  const char* operator()(const machine::PublishEnvelope&) const { return "publish"; }
  const char* operator()(const machine::Deliver& d) const { return d.fetch_id ? "fetch" : "pull"; }
  const char* operator()(const machine::Acknowledge&) const { return "acknowledge"; }
  const char* operator()(const machine::Refuse&) const { return "refuse"; }
  const char* operator()(const machine::ReportOutcome&) const { return "report outcome"; }
  const char* operator()(const machine::Release&) const { return "release"; }
  const char* operator()(const machine::Extend&) const { return "extend"; }
  const char* operator()(const machine::CancelDelivery&) const { return "cancel"; }
  const char* operator()(const machine::ReleaseStream&) const { return "release stream"; }
  const char* operator()(const machine::ReleaseLeftovers&) const { return "leftovers"; }
  const char* operator()(const machine::RecordStatement&) const { return "statement"; }
  const char* operator()(const machine::WithdrawStatement&) const { return "withdraw"; }
  const char* operator()(const machine::CheckConsent&) const { return "check consent"; }
  const char* operator()(const machine::AdmitOrganisation&) const { return "admit"; }
  const char* operator()(const machine::DisableOrganisation&) const { return "disable"; }
  const char* operator()(const machine::ActivatePolicy&) const { return "activate"; }
  const char* operator()(const machine::Remind&) const { return "remind"; }
  const char* operator()(const machine::Tick&) const { return "tick"; }
  const char* operator()(const machine::DeniedAttempt&) const { return "denied attempt"; }
  template <typename T>
  const char* operator()(const T&) const {
    return "another command";
  }
};

}  // namespace

const std::vector<Member>& Members() {
  static const std::vector<Member> members = {
      {sample::kCorporation, "housing", {}, false},
      {sample::kPolice, "police", {}, true},
      {sample::kDebtRelief, "social-services", {"debt-relief"}, true},
      {sample::kCentre, "safety-house", {"domestic-violence-centre"}, true},
      {sample::kTeam, "municipality", {"neighbourhood-team", "youth-team"}, true},
      {sample::kCare, "care", {"ambulatory-care", "housing-first", "shelter"}, true},
  };
  return members;
}

testing::EnvelopeSpec RandomSignal(testing::SeededBytes* random, std::optional<CaseId> case_id) {
  auto chance = [&](uint64_t percent) { return random->Below(100) < percent; };
  const Kind& kind = AnyOf(random, Kinds());
  testing::EnvelopeSpec spec{
      .sender = chance(90) ? AnyOf(random, kind.senders) : AnyMember(random),
      .signal_type = kind.type,
      .purpose = kind.purpose,
      .recipients = {chance(95) ? AnyOf(random, kind.recipients) : AnyMember(random)},
      .subjects = {},
      .sections = {}};
  if (chance(30)) {
    const auto& second = AnyMember(random);
    if (second != spec.recipients[0].oin) spec.recipients.emplace_back(second);
  }
  for (uint64_t i = 0; i < 1 + random->Below(2); ++i) {
    if (chance(15)) {
      v1::SubjectRef unlinked;
      unlinked.add_pairs()->set_value(random->Take(32));
      spec.subjects.push_back(unlinked);
    } else {
      spec.subjects.push_back(testing::Linked("subject " + std::to_string(random->Below(8))));
    }
  }
  for (uint64_t i = 0; i < 1 + random->Below(2); ++i) {
    testing::SectionSpec section{AnyOf(random, kind.categories), AnyOf(random, kind.grounds)};
    if (spec.subjects.size() == 2) {
      static const std::vector<std::vector<size_t>> about = {{0}, {1}, {0, 1}};
      section.subjects = AnyOf(random, about);
    }
    if (chance(20)) section.attested.push_back("objection-weighed");
    spec.sections.push_back(std::move(section));
  }
  if (chance(25)) spec.urgency = v1::URGENCY_ACUTE;
  spec.case_id = case_id;
  static const std::vector<Millis> lifetimes = {std::chrono::minutes(10), std::chrono::hours(1),
                                                std::chrono::hours(6), std::chrono::hours(120)};
  spec.lifetime = AnyOf(random, lifetimes);
  return spec;
}

ModelSignal ToModel(const machine::ParsedEnvelope& envelope, const testing::EnvelopeSpec& spec) {
  ModelSignal signal;
  signal.sender = spec.sender.str();
  signal.id = envelope.signal_id.str();
  signal.digest = envelope.digest.str();
  signal.type = spec.signal_type;
  signal.purpose = spec.purpose;
  if (spec.case_id) signal.case_id = spec.case_id->str();
  signal.acute = spec.urgency == v1::URGENCY_ACUTE;
  signal.expires_ms = envelope.header.expires_ms();
  for (const auto& subject : spec.subjects) {
    bool linked = subject.pairs(0).epoch() != 0;
    signal.subjects.push_back(linked ? subject.pairs(0).value() : "");
  }
  for (const auto& section : spec.sections) {
    signal.sections.push_back(
        {section.category, section.ground, section.subjects, !section.attested.empty()});
  }
  for (const auto& recipient : spec.recipients) signal.recipients.push_back(recipient.oin.str());
  return signal;
}

ModelStatement ToModel(const v1::Statement& s) {
  ModelStatement statement;
  statement.id = s.statement_id();
  statement.recorder = s.recorder();
  statement.subject = s.subject().pairs(0).value();
  statement.objection = s.kind() == v1::STATEMENT_KIND_OBJECTION;
  statement.sender = ToModel(s.sender());
  statement.recipient = ToModel(s.recipient());
  statement.case_id = s.case_id();
  statement.category = s.category();
  statement.purpose = s.purpose();
  statement.from_ms = s.not_before_ms();
  statement.until_ms = s.not_after_ms();
  statement.kept = {s.kept_statement_ids().begin(), s.kept_statement_ids().end()};
  return statement;
}

testing::ReferenceBundle StrictBundle() {
  static const testing::ReferenceBundle bundle = testing::ReferenceWithRules(
      "\n  - id: no-more-arrears\n    effect: forbid\n    signal_types: [rent-arrears]\n");
  return bundle;
}

std::vector<Text> ReliedOn(const store::StateReader& state, uint64_t index) {
  auto raw = state.Get(store::Family::kRecords, machine::keys::Record(index));
  state::v1::StoredRecord stored;
  v1::Detail detail;
  SCHAKEL_CHECK(
      raw.ok() && *raw && stored.ParseFromString(**raw) && detail.ParseFromString(stored.detail()),
      "a delivery has its record and detail");
  std::vector<Text> relied_on;
  for (const auto& question : detail.questions()) {
    relied_on.insert(relied_on.end(), question.relied_on().begin(), question.relied_on().end());
  }
  return relied_on;
}

std::string NameOf(const machine::Command& command) {
  return std::visit(CommandName{}, command.request);
}

std::string Difference(const char* what, const std::string& expected, const std::string& found) {
  return std::string(what) + ": expected '" + expected + "', found '" + found + "'";
}

}  // namespace schakel::sim
