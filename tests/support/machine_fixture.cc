#include "tests/support/machine_fixture.h"

#include "broker/base/limits.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/key_set.h"
#include "broker/machine/facts.h"
#include "broker/store/overlay_view.h"

namespace schakel::testing {

using machine::Outcome;

namespace {

struct Sample {
  OrganisationId oin;
  const char* name;
  const char* sector;
  const char* area;
  bool bsn_authority;
};

const std::vector<Sample>& Samples() {
  static const std::vector<Sample> samples = {
      {sample::kCorporation, "Woningcorporatie (test)", "housing", "dordrecht", false},
      {sample::kPolice, "Politie (test)", "police", "zuid-holland-zuid", true},
      {sample::kDebtRelief, "Sociale dienst (test)", "social-services", "drechtsteden", true},
      {sample::kCentre, "Veilig Thuis (test)", "safety-house", "zuid-holland-zuid", true},
      {sample::kTeam, "Wijkteam (test)", "municipality", "dordrecht", true},
      {sample::kAccess, "Centrale Toegang (test)", "safety-house", "zuid-holland-zuid", true},
      {sample::kCare, "Zorgaanbieder (test)", "care", "dordrecht", true},
      {sample::kVolunteers, "Buurt m/v (test)", "volunteer", "dordrecht", false},
      {sample::kPrison, "Penitentiaire inrichting (test)", "justice", "zuid-holland-zuid", true},
      {sample::kAftercare, "Nazorg (test)", "municipality", "drechtsteden", true},
  };
  return samples;
}

v1::Organisation Entry(const OrganisationId& oin, const std::string& name, v1::Role role) {
  v1::Organisation organisation;
  organisation.set_oin(oin.str());
  organisation.set_name(name);
  organisation.set_role(role);
  organisation.set_certificate_issuer_digest(crypto::Sha256("issuer").str());
  organisation.set_certificate_spki_digest(crypto::Sha256("key of " + oin.str()).str());
  return organisation;
}

}  // namespace

OrganisationId sample::Oin(const std::string& digits) { return *OrganisationId::From(digits); }

MachineFixture::MachineFixture(uint64_t seed)
    : random_(seed), now_(std::chrono::seconds(1'772'442'000)) {
  Reload();
  machine::Genesis genesis;
  genesis.origin = "zhz.example/schakel/1";
  genesis.region = "zhz.example";
  genesis.log_key = "zhz.example/schakel/1+00000000+test";
  genesis.registrar = Entry(sample::kRegistrar, "Registerhouder (test)", v1::ROLE_REGISTRAR);
  genesis.bundle = Reference().bytes;
  genesis.bundle_digest = Reference().digest;
  genesis.compiled = Reference().compiled;
  SCHAKEL_CHECK(!Do(std::move(genesis)).refused, "genesis is accepted");
  AdmitSamples();
}

void MachineFixture::AdmitSamples() {
  std::vector<v1::Organisation> entries;
  for (const auto& from : Samples()) {
    auto entry = Entry(from.oin, from.name, v1::ROLE_PARTNER);
    entry.set_sector(from.sector);
    entry.add_areas(from.area);
    entry.set_bsn_authority(from.bsn_authority);
    if (from.bsn_authority) entry.set_bsn_authority_article("Wabb art. 10 (test)");
    entries.push_back(std::move(entry));
  }
  entries.push_back(Entry(sample::kAuditor, "Audit (test)", v1::ROLE_AUDITOR));
  entries.back().set_audit_scope(v1::AUDIT_SCOPE_OWN);
  entries.back().add_audited_oins(sample::kPolice.str());
  entries.push_back(Entry(sample::kRegionAuditor, "Toezicht (test)", v1::ROLE_AUDITOR));
  entries.back().set_audit_scope(v1::AUDIT_SCOPE_REGION);
  entries.back().mutable_audit_scope_until()->set_seconds(now_.count() / 1'000'000 + 365 * 86'400);
  entries.push_back(Entry(sample::kChainDirector, "Regie (test)", v1::ROLE_CHAIN_DIRECTOR));
  for (auto& entry : entries) {
    machine::AdmitOrganisation admit;
    *admit.request.mutable_organisation() = std::move(entry);
    SCHAKEL_CHECK(!DoAs(sample::kRegistrar, std::move(admit)).refused, "a sample is admitted");
  }
  for (const auto& from : Samples()) RegisterNextKeySet(from.oin);
}

void MachineFixture::Reload() {
  auto loaded = machine::Machine::Load(state_);
  SCHAKEL_CHECK(loaded.ok(), "the machine loads");
  machine_ = *std::move(loaded);
}

// ---- Time ----

void MachineFixture::TickAll() {
  while (Do(machine::Tick{}).effects.timers_left) continue;
}

void MachineFixture::AdvanceAndTick(Micros by) {
  Advance(by);
  TickAll();
}

void MachineFixture::SweepAll() {
  while (Do(machine::Sweep{}).effects.sweep_left) continue;
}

void MachineFixture::AdvanceAndSweep(Micros by) {
  Advance(by);
  SweepAll();
}

// ---- Commands ----

machine::Command MachineFixture::Make(machine::Request request,
                                      std::optional<machine::Caller> caller) {
  machine::Command command{std::move(request), std::move(caller), now_, {}};
  command.entropy = *merkle::CommandEntropy::From(random_.Take(32));
  return command;
}

Outcome MachineFixture::Do(machine::Request request, std::optional<machine::Caller> caller) {
  const auto command = Make(std::move(request), std::move(caller));
  store::Batch batch;
  const store::OverlayView view(state_, {&batch});
  auto outcome = machine_->Apply(view, &batch, command);
  SCHAKEL_CHECK(outcome.ok(), "the machine applies");
  machine_->FinishBatch(&batch);
  SCHAKEL_CHECK(state_.Commit(batch, outcome->position).ok(), "the batch is committed");
  return *std::move(outcome);
}

machine::Caller MachineFixture::CallerOf(const OrganisationId& who) const {
  auto entry = machine::FindOrganisation(state_, who);
  SCHAKEL_CHECK(entry.ok(), "the directory can be read");
  return {who, *entry ? (*entry)->version() : 0, "user-1", "professional", {}};
}

Outcome MachineFixture::DoAs(const OrganisationId& who, machine::Request request) {
  return Do(std::move(request), CallerOf(who));
}

// ---- Signals ----

v1::Envelope MachineFixture::Envelope(const EnvelopeSpec& spec) {
  auto key_set_of = [&](const OrganisationId& oin) {
    auto entry = machine::FindOrganisation(state_, oin);
    SCHAKEL_CHECK(entry.ok(), "the directory can be read");
    return *entry ? Digest::From((*entry)->key_set_digest()).value_or(Digest{}) : Digest{};
  };
  EnvelopeFrame frame;
  frame.created = now_ms();
  frame.sender_key_set = key_set_of(spec.sender);
  for (const auto& recipient : spec.recipients) {
    frame.recipient_key_sets.push_back(key_set_of(recipient.oin));
  }
  return BuildEnvelope(spec, frame, &random_);
}

std::shared_ptr<const machine::ParsedEnvelope> MachineFixture::Parsed(const EnvelopeSpec& spec) {
  auto parsed = machine::ParseEnvelope(Envelope(spec));
  SCHAKEL_CHECK(parsed.ok(), "the fixture's envelopes are well formed");
  return *parsed;
}

Outcome MachineFixture::Publish(std::shared_ptr<const machine::ParsedEnvelope> envelope) {
  OrganisationId sender = envelope->sender;
  return DoAs(sender, machine::PublishEnvelope{std::move(envelope)});
}

Outcome MachineFixture::Publish(const EnvelopeSpec& spec) { return Publish(Parsed(spec)); }

v1::SignalAccepted MachineFixture::Accept(const EnvelopeSpec& spec) {
  Outcome outcome = Publish(spec);
  SCHAKEL_CHECK(!outcome.refused, "the signal is accepted");
  return std::get<v1::SignalAccepted>(outcome.answer);
}

EnvelopeSpec MachineFixture::Arrears() {
  v1::SubjectRef tenant;
  tenant.add_pairs()->set_value(random_.Take(32));
  return {
      .sender = sample::kCorporation,
      .signal_type = "rent-arrears",
      .purpose = "prevent-eviction",
      .recipients = {{sample::kDebtRelief, "debt-relief", "dordrecht"}},
      .subjects = {tenant},
      .sections = {{"finances", "wgs-debt"}, {"housing", "wgs-debt"}, {"identity", "wgs-debt"}}};
}

EnvelopeSpec MachineFixture::Violence(const v1::SubjectRef& subject) {
  return {.sender = sample::kPolice,
          .signal_type = "domestic-violence-report",
          .purpose = "stop-domestic-violence",
          .recipients = {sample::kCentre},
          .subjects = {subject},
          .sections = {{"safety", "wmo-veilig-thuis"}}};
}

EnvelopeSpec MachineFixture::Avoidance(const v1::SubjectRef& subject) {
  return {.sender = sample::kCare,
          .signal_type = "care-avoidance",
          .purpose = "coordinate-care",
          .recipients = {sample::kTeam},
          .subjects = {subject},
          .sections = {{"daily-living", "consent"}}};
}

// ---- Inbox ----

machine::Leased MachineFixture::Pull(const OrganisationId& who, uint32_t items, Micros lease) {
  Outcome outcome = DoAs(who, machine::Deliver{items, limits::kInboxBytesPerStreamMax, lease, {}});
  SCHAKEL_CHECK(!outcome.refused, "a delivery is not refused");
  return std::get<machine::Leased>(std::move(outcome.answer));
}

machine::Leased MachineFixture::Fetch(const OrganisationId& who, const RequestId& fetch_id,
                                      uint32_t items, Micros lease) {
  Outcome outcome =
      DoAs(who, machine::Deliver{items, limits::kInboxBytesPerStreamMax, lease, fetch_id});
  SCHAKEL_CHECK(!outcome.refused, "a delivery is not refused");
  return std::get<machine::Leased>(std::move(outcome.answer));
}

Outcome MachineFixture::Acknowledge(const OrganisationId& who, const DeliveryId& delivery) {
  return DoAs(who, machine::Acknowledge{delivery});
}

Outcome MachineFixture::Refuse(const OrganisationId& who, const DeliveryId& delivery,
                               const std::string& code) {
  machine::Refuse refuse{delivery, {}};
  refuse.request.set_delivery_id(delivery.str());
  refuse.request.set_reason_code(code);
  refuse.request.set_reason_text("not for us");
  return DoAs(who, std::move(refuse));
}

// ---- Consent ----

machine::RecordStatement MachineFixture::Statement(const StatementSpec& spec) {
  machine::RecordStatement command;
  v1::Statement& s = command.statement;
  s.set_statement_id(random_.Take(16));
  s.set_region("zhz.example");
  s.set_kind(spec.kind);
  *s.mutable_subject() = spec.subject;
  if (spec.sender.party_case() != v1::PartyAxis::PARTY_NOT_SET) *s.mutable_sender() = spec.sender;
  if (spec.recipient.party_case() != v1::PartyAxis::PARTY_NOT_SET) {
    *s.mutable_recipient() = spec.recipient;
  }
  if (spec.case_id) s.set_case_id(spec.case_id->str());
  s.set_category(spec.category);
  s.set_purpose(spec.purpose);
  const Millis from = now_ms() + spec.starts_in;
  s.set_not_before_ms(static_cast<uint64_t>(from.count()));
  s.set_not_after_ms(static_cast<uint64_t>((from + spec.lasts).count()));
  for (const auto& id : spec.kept) s.add_kept_statement_ids(id.str());
  s.set_grantor(v1::GRANTOR_SUBJECT);
  s.set_identity_check(v1::IDENTITY_CHECK_DOCUMENT);
  s.set_form_version("1");
  s.set_language("nl");
  s.set_evidence_digest(random_.Take(32));
  s.set_recorder(spec.recorder.str());
  s.set_actor("user-1");
  auto entry = machine::FindOrganisation(state_, spec.recorder);
  if (entry.ok() && *entry) s.set_key_set_digest((*entry)->key_set_digest());
  command.request.set_statement(s.SerializeAsString());
  command.request.set_signature(random_.Take(64));
  return command;
}

StatementId MachineFixture::Record(const StatementSpec& spec) {
  auto command = Statement(spec);
  auto id = *StatementId::From(command.statement.statement_id());
  SCHAKEL_CHECK(!DoAs(spec.recorder, std::move(command)).refused, "the statement is recorded");
  return id;
}

machine::WithdrawStatement MachineFixture::Withdrawal(const OrganisationId& recorder,
                                                      const StatementId& id) {
  machine::WithdrawStatement command;
  v1::Withdrawal& w = command.withdrawal;
  w.set_withdrawal_id(random_.Take(16));
  w.set_statement_id(id.str());
  w.set_region("zhz.example");
  w.set_time_ms(static_cast<uint64_t>(now_ms().count()));
  w.set_recorder(recorder.str());
  w.set_actor("user-1");
  auto entry = machine::FindOrganisation(state_, recorder);
  if (entry.ok() && *entry) w.set_key_set_digest((*entry)->key_set_digest());
  command.request.set_withdrawal(w.SerializeAsString());
  command.request.set_signature(random_.Take(64));
  return command;
}

Outcome MachineFixture::Withdraw(const OrganisationId& recorder, const StatementId& id) {
  return DoAs(recorder, Withdrawal(recorder, id));
}

// ---- Directory ----

v1::Organisation MachineFixture::OrganisationOf(const OrganisationId& oin) const {
  auto entry = machine::FindOrganisation(state_, oin);
  SCHAKEL_CHECK(entry.ok() && *entry, "the organisation is admitted");
  return (*entry)->organisation();
}

machine::RegisterKeySet MachineFixture::NextKeySet(const OrganisationId& oin) {
  auto entry = machine::FindOrganisation(state_, oin);
  SCHAKEL_CHECK(entry.ok() && *entry, "the organisation is admitted");
  crypto::KeySet next{.oin = oin,
                      .version = 1,
                      .not_before = now_ms() - Millis(3'600'000),
                      .not_after = now_ms() - Millis(3'600'000) + limits::kKeySetValidityMax,
                      .previous = {},
                      .sealing_key = *crypto::X25519PublicKey::From(random_.Take(32)),
                      .signing_key = *crypto::Ed25519PublicKey::From(random_.Take(32))};
  if (auto current = Digest::From((*entry)->key_set_digest())) {
    auto stored = machine::FindKeySet(state_, *current);
    SCHAKEL_CHECK(stored.ok() && *stored, "the current key set is stored");
    next.version = (*stored)->version() + 1;
    next.previous = *current;
  }
  machine::RegisterKeySet command;
  command.key_set.set_key_set(crypto::EncodeKeySet(next));
  command.key_set.set_certificate_signature(random_.Take(64));
  command.key_set.set_signing_key_signature(random_.Take(64));
  return command;
}

Digest MachineFixture::RegisterNextKeySet(const OrganisationId& oin) {
  auto command = NextKeySet(oin);
  Digest digest = crypto::KeySetDigest(command.key_set.key_set());
  SCHAKEL_CHECK(!DoAs(oin, std::move(command)).refused, "the key set is registered");
  return digest;
}

}  // namespace schakel::testing
