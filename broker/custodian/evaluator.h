// The one path to the share: shape, authority, charge and record on disk, and only then the
// evaluation.
#pragma once

#include <cstdint>
#include <string_view>

#include "broker/base/bytes.h"
#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/custodian/budget.h"
#include "broker/custodian/custodian_log.h"
#include "broker/custodian/instruments.h"
#include "broker/custodian/key_holder.h"
#include "broker/custodian/members.h"
#include "broker/custodian/refusals.h"
#include "broker/store/reserve_file.h"
#include "schakel/v1/custodian.pb.h"

namespace schakel::custodian {

// Thread-safe. Nothing of gRPC: the requester was authenticated by the caller.
class Evaluator {
 public:
  // All must outlive it.
  struct Parts {
    const KeyHolder* holder = nullptr;
    const MembersFile* members = nullptr;
    BudgetLedger* budgets = nullptr;  // null in mode RESTORED, as log and refusals
    CustodianLog* log = nullptr;
    RefusalCounter* refusals = nullptr;
    const store::StorageGuard* storage = nullptr;  // null: the disk is never nearly full
    const Clock* clock = nullptr;
    Instruments* instruments = nullptr;
    uint32_t cap_per_day = 0;
  };
  explicit Evaluator(Parts parts) : parts_(parts) {}

  // Waits for the disk and keeps a core busy. Errors, in this order: RESTORED, FIELD_MISSING,
  // TOO_LARGE, EPOCH_UNKNOWN, ELEMENT_INVALID with field "blinded_elements[i]", NO_AUTHORITY,
  // STORAGE_LOW, BUDGET_EXHAUSTED, NOT_SERVING when charge and record did not reach the disk,
  // INTERNAL. `response` is filled on success only.
  Status Evaluate(const Requester& requester, const v1::EvaluateRequest& request,
                  v1::EvaluateResponse* response) const;

  // Errors: EPOCH_UNKNOWN.
  Status KeyDocument(const v1::GetKeyDocumentRequest& request,
                     v1::GetKeyDocumentResponse* response) const;

  // Errors: RESTORED, NO_AUTHORITY.
  Status Budget(const Requester& requester, v1::GetBudgetResponse* response) const;

  // The answer to who has no authority, once it is in the log. Waits for the disk. NOT_SERVING when
  // it could not be written.
  Error NoAuthorityFor(const Requester& requester, std::string_view rpc) const;

 private:
  Result<v1::LogReceipt> Charge(const Requester& requester, uint32_t count) const;
  // `refusal`, once it is in the log.
  Error WriteDown(const Requester& requester, std::string_view rpc, Error refusal) const;

  const Parts parts_;
};

// PERMISSION_DENIED NO_AUTHORITY.
Error NoAuthority(const OrganisationId& organisation);

}  // namespace schakel::custodian
