// The one path to the share: shape, authority, budget on disk, and only then the evaluation.
#pragma once

#include <cstdint>

#include "broker/base/bytes.h"
#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/custodian/budget.h"
#include "broker/custodian/instruments.h"
#include "broker/custodian/key_holder.h"
#include "broker/custodian/members.h"
#include "schakel/v1/custodian.pb.h"

namespace schakel::custodian {

// Thread-safe. Nothing of gRPC: `organisation` was authenticated by the caller.
class Evaluator {
 public:
  // All must outlive it.
  struct Parts {
    const KeyHolder* holder = nullptr;
    const MembersFile* members = nullptr;
    BudgetLedger* budgets = nullptr;
    const Clock* clock = nullptr;
    Instruments* instruments = nullptr;
    uint32_t cap_per_day = 0;
  };
  explicit Evaluator(Parts parts) : parts_(parts) {}

  // Waits for the disk and keeps a core busy. Errors, in this order: FIELD_MISSING, TOO_LARGE,
  // EPOCH_UNKNOWN, ELEMENT_INVALID with field "blinded_elements[i]", NO_AUTHORITY,
  // BUDGET_EXHAUSTED, NOT_SERVING when the charge did not reach the disk, INTERNAL. `response` is
  // filled on success only.
  Status Evaluate(const OrganisationId& organisation, const v1::EvaluateRequest& request,
                  BytesView trace_id, v1::EvaluateResponse* response) const;

  // Errors: EPOCH_UNKNOWN.
  Status KeyDocument(const v1::GetKeyDocumentRequest& request,
                     v1::GetKeyDocumentResponse* response) const;

  // Errors: NO_AUTHORITY.
  Status Budget(const OrganisationId& organisation, v1::GetBudgetResponse* response) const;

 private:
  Status Charge(const OrganisationId& organisation, uint32_t count, BytesView trace_id) const;

  const Parts parts_;
};

// PERMISSION_DENIED NO_AUTHORITY.
Error NoAuthority(const OrganisationId& organisation);

}  // namespace schakel::custodian
