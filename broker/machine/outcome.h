// What Apply gives back: the answer for who asked, and what the broker's other parts must know once
// it is durable.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "broker/base/ids.h"
#include "schakel/v1/audit.pb.h"
#include "schakel/v1/consent.pb.h"
#include "schakel/v1/directory.pb.h"
#include "schakel/v1/flow.pb.h"
#include "schakel/v1/inbox.pb.h"
#include "schakel/v1/policy.pb.h"
#include "schakel/v1/signal.pb.h"

namespace schakel::machine {

// An item that was leased to a recipient and may be handed over once this is durable.
struct LeasedItem {
  DeliveryId delivery_id;
  v1::Delivery delivery;
  // Values of the linked subjects that it is about (SubjectRefPair.value): what a withdrawal or an
  // objection about one of them stops before its write begins.
  std::vector<Bytes> subjects;
};
struct Leased {
  std::vector<LeasedItem> items;
  bool more = false;  // whether the inbox holds more that may go now
};

// A moment of the past: what was written at `at_us` or before, by a record before `end_index`.
struct Moment {
  uint64_t at_us = 0;
  uint64_t end_index = 0;

  bool Has(uint64_t time_us, uint64_t index) const { return time_us <= at_us && index < end_index; }
};

// The scope that holds for an auditor's look.
struct QueryGrant {
  bool region = false;  // all records; else only those of `organisations`
  std::vector<std::string> organisations;
  uint64_t tree_size = 0;  // the look covers records before its own
  Moment moment;           // of a look at the past
  v1::LogReceipt receipt;
};

using Answer = std::variant<
    std::monostate, v1::SignalAccepted, v1::PreflightResponse, v1::AttachSubjectResponse, Leased,
    v1::AcknowledgeResponse, v1::RefuseResponse, v1::ReleaseResponse, v1::ExtendResponse,
    v1::ReportOutcomeResponse, v1::RecordStatementResponse, v1::WithdrawStatementResponse,
    v1::CheckConsentResponse, v1::AdmitOrganisationResponse, v1::DisableOrganisationResponse,
    v1::RegisterKeySetResponse, v1::ActivatePolicyResponse, QueryGrant, v1::RemindResponse>;

// Told to the broker's other parts when the command is durable.
struct Effects {
  std::vector<OrganisationId> wake;     // inboxes that have something new to hand over
  std::vector<Bytes> changed_subjects;  // values whose consents or objections changed
  bool directory_changed = false;
  bool policy_changed = false;
  bool timers_left = false;             // a tick did not get to the end
  std::optional<Bytes> leftovers_from;  // where the next ReleaseLeftovers goes on
  bool sweep_left = false;              // a sweep did not get to the end
};

struct Outcome {
  // INVARIANT I6: the same on every machine.
  uint64_t position = 0;
  std::optional<Error> refused;  // set: the command changed nothing but the record of the attempt
  Answer answer;
  Effects effects;
};

}  // namespace schakel::machine
