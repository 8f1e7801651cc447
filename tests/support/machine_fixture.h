// A machine over a store in memory with the reference bundle and the sample organisations admitted:
// what tests of the machine, of queries and of the simulation start from. Time stands still until a
// test moves it; all bytes derive from a seed, so that a run can be repeated.
//
// Nothing is sealed or signed: ciphertexts and signatures are random bytes, since the machine gets
// envelopes and statements whose signatures were checked before. Digests are real.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "broker/machine/keys.h"
#include "broker/machine/machine.h"
#include "broker/store/testing/memory_state.h"
#include "schakel/state/v1/state.pb.h"
#include "schakel/v1/record.pb.h"
#include "tests/support/reference_bundle.h"

namespace schakel::testing {

// The parties of the bundle's own tests, and the region's other roles.
namespace sample {
OrganisationId Oin(const std::string& digits);
inline const OrganisationId kRegistrar = Oin("00000099000000000001");
inline const OrganisationId kAuditor = Oin("00000099000000000002");        // scope own, of kPolice
inline const OrganisationId kRegionAuditor = Oin("00000099000000000003");  // region, for a year
inline const OrganisationId kChainDirector = Oin("00000099000000000004");
inline const OrganisationId kCorporation = Oin("00000099000000001000");  // no BSN authority
inline const OrganisationId kPolice = Oin("00000099000000001001");
inline const OrganisationId kDebtRelief = Oin("00000099000000002000");
inline const OrganisationId kCentre = Oin("00000099000000002001");  // domestic-violence-centre
inline const OrganisationId kTeam = Oin("00000099000000002002");    // neighbourhood-team@dordrecht
inline const OrganisationId kAccess = Oin("00000099000000002003");  // central-access
inline const OrganisationId kCare = Oin("00000099000000002004");    // ambulatory-care, shelter
inline const OrganisationId kVolunteers = Oin("00000099000000002005");
inline const OrganisationId kPrison = Oin("00000099000000002006");
inline const OrganisationId kAftercare = Oin("00000099000000002008");
}  // namespace sample

struct RecipientSpec {
  RecipientSpec(OrganisationId organisation)
      : oin(std::move(organisation)) {}  // NOLINT(google-explicit-constructor)
  RecipientSpec(OrganisationId organisation, std::string function_code, std::string area_code)
      : oin(std::move(organisation)),
        function(std::move(function_code)),
        area(std::move(area_code)) {}
  OrganisationId oin;
  std::string function;  // empty: addressed as an organisation
  std::string area;
};
struct SectionSpec {
  std::string category;
  std::string ground;
  std::vector<size_t> subjects = {0};        // places in EnvelopeSpec::subjects
  std::vector<OrganisationId> readers = {};  // who gets a wrap; empty: every recipient
  std::vector<std::string> attested = {};
};
struct EnvelopeSpec {
  OrganisationId sender;
  std::string signal_type;
  std::string purpose;
  std::vector<RecipientSpec> recipients;
  std::vector<v1::SubjectRef> subjects;
  std::vector<SectionSpec> sections;
  v1::Urgency urgency = v1::URGENCY_NORMAL;
  std::optional<CaseId> case_id = {};
  std::optional<SignalId> signal_id = {};  // unset: a new one
  Millis lifetime = std::chrono::hours(5 * 24);
};
struct StatementSpec {
  OrganisationId recorder;
  v1::SubjectRef subject;
  v1::StatementKind kind = v1::STATEMENT_KIND_CONSENT;
  v1::PartyAxis sender = {};
  v1::PartyAxis recipient = {};
  std::optional<CaseId> case_id = {};
  std::string category = {};
  std::string purpose = {};
  Millis starts_in = Millis(0);  // from now
  Millis lasts = std::chrono::hours(30 * 24);
  std::vector<StatementId> kept = {};
};

v1::PartyAxis SectorAxis(const std::string& sector);
v1::PartyAxis FunctionAxis(const std::string& function, const std::string& area = "");
v1::PartyAxis OrganisationAxis(const OrganisationId& organisation);
// A linked subject of epoch 1 that stands for `name`.
v1::SubjectRef Linked(const std::string& name);

// Bytes from a seed: a test's only randomness.
class SeededBytes {
 public:
  explicit SeededBytes(uint64_t seed) : engine_(seed) {}
  Bytes Take(size_t size);
  uint64_t Below(uint64_t bound) { return engine_() % bound; }
  template <typename Id>
  Id Make() {
    return *Id::From(Take(16));
  }

 private:
  std::mt19937_64 engine_;
};

// What goes into an envelope beside its spec.
struct EnvelopeFrame {
  Millis created;
  Digest sender_key_set;
  // By recipient, in the order of the spec.
  std::vector<Digest> recipient_key_sets;
  std::string actor = "user-1";
};
// Builds an envelope that ParseEnvelope accepts: values and path are real, the rest is random.
v1::Envelope BuildEnvelope(const EnvelopeSpec& spec, const EnvelopeFrame& frame,
                           SeededBytes* random);
// Puts values and digests right again after a test changed header, routing or sections.
void SetValues(v1::Envelope* envelope, SeededBytes* random);

// For one thread. Any failure of the store or the machine stops the process.
class MachineFixture {
 public:
  // Genesis, admitted organisations and one key set for each of them.
  explicit MachineFixture(uint64_t seed = 1);

  // ---- Time ----
  Micros now() const { return now_; }
  Millis now_ms() const { return std::chrono::duration_cast<Millis>(now_); }
  void Advance(Micros by) { now_ += by; }
  // Advances and fires every timer that is due.
  void AdvanceAndTick(Micros by);
  void TickAll();
  // Advances and sweeps until nothing is left that is due.
  void AdvanceAndSweep(Micros by);
  void SweepAll();

  // ---- Commands: each is a batch of its own, committed ----
  machine::Outcome Do(machine::Request request, std::optional<machine::Caller> caller = {});
  // By an organisation, with its current entry version.
  machine::Outcome DoAs(const OrganisationId& who, machine::Request request);
  // A command with time and entropy, not applied: for tests that make batches of their own.
  machine::Command Make(machine::Request request, std::optional<machine::Caller> caller = {});
  machine::Caller CallerOf(const OrganisationId& who) const;

  // ---- Signals ----
  v1::Envelope Envelope(const EnvelopeSpec& spec);
  std::shared_ptr<const machine::ParsedEnvelope> Parsed(const EnvelopeSpec& spec);
  machine::Outcome Publish(const EnvelopeSpec& spec);
  machine::Outcome Publish(std::shared_ptr<const machine::ParsedEnvelope> envelope);
  // REQUIRES: it is accepted.
  v1::SignalAccepted Accept(const EnvelopeSpec& spec);
  // Rent arrears of an unlinked tenant from kCorporation to debt-relief@dordrecht.
  EnvelopeSpec Arrears();
  // A violence report of kPolice to kCentre under a statutory ground.
  EnvelopeSpec Violence(const v1::SubjectRef& subject);
  // Care avoidance of kCare to kTeam under consent: section daily-living.
  EnvelopeSpec Avoidance(const v1::SubjectRef& subject);

  // ---- Inbox ----
  machine::Leased Pull(const OrganisationId& who, uint32_t items = 64,
                       Micros lease = std::chrono::seconds(60));
  machine::Leased Fetch(const OrganisationId& who, const RequestId& fetch_id, uint32_t items = 64,
                        Micros lease = std::chrono::hours(8));
  machine::Outcome Acknowledge(const OrganisationId& who, const DeliveryId& delivery);
  machine::Outcome Refuse(const OrganisationId& who, const DeliveryId& delivery,
                          const std::string& code);

  // ---- Consent ----
  machine::RecordStatement Statement(const StatementSpec& spec);
  // REQUIRES: it is recorded.
  StatementId Record(const StatementSpec& spec);
  machine::WithdrawStatement Withdrawal(const OrganisationId& recorder, const StatementId& id);
  machine::Outcome Withdraw(const OrganisationId& recorder, const StatementId& id);

  // ---- Directory ----
  v1::Organisation OrganisationOf(const OrganisationId& oin) const;
  // Registers the next key set, valid 90 days from now.
  Digest RegisterNextKeySet(const OrganisationId& oin);
  machine::RegisterKeySet NextKeySet(const OrganisationId& oin);

  // ---- What stands in the state ----
  store::testing::MemoryState& state() { return state_; }
  machine::Machine& machine() { return *machine_; }
  // As a restart would.
  void Reload();
  std::vector<v1::Record> Records() const;
  std::vector<v1::Record> RecordsOf(v1::RecordKind kind) const;
  v1::Detail DetailOf(uint64_t index) const;
  std::vector<v1::OutcomeEvent> Feed(const OrganisationId& sender) const;
  std::vector<state::v1::InboxItem> Items(const OrganisationId& recipient) const;
  size_t CountKeys(store::Family family, const Bytes& prefix) const;
  bool HasContent(const OrganisationId& sender, BytesView signal_id) const;

  SeededBytes& random() { return random_; }

 private:
  void AdmitSamples();

  SeededBytes random_;
  Micros now_;
  store::testing::MemoryState state_;
  std::unique_ptr<machine::Machine> machine_;
};

}  // namespace schakel::testing
