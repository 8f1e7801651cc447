// Commands: everything that changes state or releases content or data about a subject. A command is
// what the order is made of; the machine reads nothing but its state and the command.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "broker/machine/envelope.h"
#include "broker/merkle/entry.h"
#include "schakel/v1/audit.pb.h"
#include "schakel/v1/consent.pb.h"
#include "schakel/v1/directory.pb.h"
#include "schakel/v1/flow.pb.h"
#include "schakel/v1/inbox.pb.h"
#include "schakel/v1/signal.pb.h"

namespace schakel::policy {
class CompiledBundle;
}

namespace schakel::machine {

// Who asks, as the transport established it, with the versions that it relied on: Apply refuses
// with STALE_VERSION when they are no longer current.
struct Caller {
  OrganisationId organisation;
  uint64_t entry_version = 0;
  std::string actor;
  std::string actor_role;
  Bytes trace_id;  // 16 bytes or empty
};

// ---- Signals ----
// REQUIRES: ParseEnvelope succeeded and the batch signature verified under the key set that the
// header names.
struct PublishEnvelope {
  std::shared_ptr<const ParsedEnvelope> envelope;
};
struct Preflight {
  v1::PreflightRequest request;
};
struct AttachSubject {
  v1::AttachSubjectRequest request;
};

// ---- Inbox ----
struct Deliver {
  uint32_t items_max = 1;
  size_t bytes_max = 0;
  Micros lease{0};
  std::optional<RequestId> fetch_id;  // unset: taken on Pull
};
struct Acknowledge {
  DeliveryId delivery;
};
struct Refuse {
  DeliveryId delivery;
  v1::RefuseRequest request;
};
struct Release {
  DeliveryId delivery;
};
struct Extend {
  DeliveryId delivery;
  Micros lease{0};
};
struct ReportOutcome {
  RequestId request;
  DeliveryId delivery;
  std::string code;  // an outcome's
};
// A delivery that was stopped before its write began: the item is ready again, uncounted.
struct CancelDelivery {
  OrganisationId recipient;
  DeliveryId delivery;
};
// Leases of a stream that ended: at most kPullWindowMax. Uncounted.
struct ReleaseStream {
  OrganisationId recipient;
  std::vector<DeliveryId> deliveries;
};
// Leases that a former run of the broker gave on Pull: at most kSweepItemsMax a command, and a
// bounded look for them.
struct ReleaseLeftovers {
  Bytes from = {};  // where the one before said that it ended (Effects::leftovers_from)
};

// ---- Consent ----
// REQUIRES: the signature verified under the key set that the bytes name.
struct RecordStatement {
  v1::RecordStatementRequest request;
  v1::Statement statement;  // parsed from the request's bytes
};
struct WithdrawStatement {
  v1::WithdrawStatementRequest request;
  v1::Withdrawal withdrawal;  // parsed from the request's bytes
};
struct CheckConsent {
  v1::CheckConsentRequest request;
};
// Only the record of the look; the list itself is read at or after its position.
struct ListStatements {
  v1::SubjectRef subject;
};

// ---- Directory and policy ----
struct AdmitOrganisation {
  v1::AdmitOrganisationRequest request;
};
struct DisableOrganisation {
  v1::DisableOrganisationRequest request;
};
// REQUIRES: both signatures and the certificate's chain verified.
struct RegisterKeySet {
  v1::SignedKeySet key_set;
};
// REQUIRES: `compiled` was compiled from `bundle`.
struct ActivatePolicy {
  Bytes bundle;
  Digest digest;
  std::shared_ptr<const policy::CompiledBundle> compiled;
};

// ---- Audit ----
// The moment of a look at the past: of the machine's clock, or just after a record.
struct PastMoment {
  uint64_t at_us = 0;
  std::optional<uint64_t> index;  // instead of at_us
};
// An auditor's look: the record of it, and the scope that holds. The answer is read at its
// position.
struct RecordQuery {
  std::string rpc;                        // name of the RPC
  std::optional<v1::SubjectRef> subject;  // whom, when one is named
  std::string subject_field = "subject";  // where the request has it
  std::string ground;
  std::string reference;
  Bytes question;                    // the request as it came
  std::string words;                 // what is asked, for people; names no subject
  std::optional<PastMoment> moment;  // of a look at the past
};

// ---- Flow ----
// REQUIRES: the alias is as the machine writes it (NormalAlias).
struct Remind {
  RequestId request;
  std::string alias;
};

// An attempt that the transport or rpc refused.
struct DeniedAttempt {
  std::string organisation;  // OIN of the certificate; empty when there was none
  std::string reason;        // a name of ErrorReason
  std::string rpc;
};

// ---- The broker itself ----
// At most kTimersPerTickMax timers that are due.
struct Tick {};
// Destroys at most kSweepItemsMax records whose term ended.
struct Sweep {};
struct Genesis {
  std::string origin;
  std::string region;
  std::string log_key;  // verifier key
  v1::Organisation registrar;
  Bytes bundle;
  Digest bundle_digest;
  std::shared_ptr<const policy::CompiledBundle> compiled;
};
// `recover`: a new incarnation of the log after a restored copy.
struct Recover {
  std::string origin;
  std::string log_key;
  uint64_t head_size = 0;
  Digest head_root;
};
// `accept-time`: the operator vouches for the time; it is the command's.
struct AcceptTime {};

using Request =
    std::variant<PublishEnvelope, Preflight, AttachSubject, Deliver, Acknowledge, Refuse, Release,
                 Extend, ReportOutcome, CancelDelivery, ReleaseStream, ReleaseLeftovers,
                 RecordStatement, WithdrawStatement, CheckConsent, ListStatements,
                 AdmitOrganisation, DisableOrganisation, RegisterKeySet, ActivatePolicy,
                 RecordQuery, Remind, DeniedAttempt, Tick, Sweep, Genesis, Recover, AcceptTime>;

struct Command {
  Request request;
  std::optional<Caller> caller;    // unset: the broker itself
  Micros time{0};                  // set when it is ordered; never before the last command's
  merkle::CommandEntropy entropy;  // set when it is ordered
};

}  // namespace schakel::machine
