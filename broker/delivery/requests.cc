#include "broker/delivery/requests.h"

#include "broker/base/limits.h"

namespace schakel::delivery {

Result<Micros> ReadLease(const google::protobuf::Duration* lease, Micros fallback,
                         const std::string& field) {
  if (lease == nullptr) return fallback;
  const bool in_range = lease->seconds() >= 0 && lease->seconds() <= 365 * 24 * 3600 &&
                        lease->nanos() >= 0 && lease->nanos() < 1'000'000'000;
  // Reckoned only when it can't overflow.
  const Micros value =
      in_range ? std::chrono::seconds(lease->seconds()) + Micros(lease->nanos() / 1000) : Micros(0);
  if (!in_range || value < limits::kLeaseMin || value > limits::kLeaseMax) {
    return InvalidArgument("FIELD_INVALID", field, "30 seconds to 12 hours expected");
  }
  return value;
}

Result<machine::Request> ToCommand(const v1::AcknowledgeRequest& request) {
  SCHAKEL_ASSIGN(auto id, ReadId<DeliveryId>(request.delivery_id(), "delivery_id"));
  return machine::Request(machine::Acknowledge{id});
}

Result<machine::Request> ToCommand(const v1::RefuseRequest& request) {
  SCHAKEL_ASSIGN(auto id, ReadId<DeliveryId>(request.delivery_id(), "delivery_id"));
  if (request.reason_text().empty()) {
    return InvalidArgument("FIELD_MISSING", "reason_text", "1 to 500 bytes expected");
  }
  if (request.reason_text().size() > limits::kReasonTextBytesMax) {
    return InvalidArgument("TOO_LARGE", "reason_text", "1 to 500 bytes expected");
  }
  if (!request.reason_code().empty() && request.reason_code() != "SUBJECT_MISMATCH") {
    return InvalidArgument("FIELD_INVALID", "reason_code", "SUBJECT_MISMATCH or nothing expected");
  }
  if (request.has_redirect()) {
    SCHAKEL_TRY(machine::CheckCode(request.redirect().function(), "redirect.function"));
    SCHAKEL_TRY(machine::CheckCode(request.redirect().area(), "redirect.area"));
    // It goes into the record of the refusal.
    SCHAKEL_TRY(machine::CheckKnown(request.redirect(), "redirect"));
  }
  return machine::Request(machine::Refuse{id, request});
}

Result<machine::Request> ToCommand(const v1::ReleaseRequest& request) {
  SCHAKEL_ASSIGN(auto id, ReadId<DeliveryId>(request.delivery_id(), "delivery_id"));
  return machine::Request(machine::Release{id});
}

Result<machine::Request> ToCommand(const v1::ExtendRequest& request) {
  SCHAKEL_ASSIGN(auto id, ReadId<DeliveryId>(request.delivery_id(), "delivery_id"));
  if (!request.has_lease()) return InvalidArgument("FIELD_MISSING", "lease", "is required");
  SCHAKEL_ASSIGN(Micros lease, ReadLease(&request.lease(), Micros(0), "lease"));
  return machine::Request(machine::Extend{id, lease});
}

Result<machine::Request> ToCommand(const v1::FetchRequest& request) {
  SCHAKEL_ASSIGN(auto id, ReadId<RequestId>(request.fetch_id(), "fetch_id"));
  if (request.max_items() == 0) {
    return InvalidArgument("FIELD_MISSING", "max_items", "1 to 64 expected");
  }
  if (request.max_items() > limits::kFetchMax) {
    return InvalidArgument("FIELD_INVALID", "max_items", "1 to 64 expected");
  }
  SCHAKEL_ASSIGN(Micros lease, ReadLease(request.has_lease() ? &request.lease() : nullptr,
                                         limits::kLeaseDefaultFetch, "lease"));
  machine::Deliver deliver;
  deliver.items_max = request.max_items();
  deliver.bytes_max = limits::kBatchBytesMax;
  deliver.lease = lease;
  deliver.fetch_id = id;
  return machine::Request(deliver);
}

Result<machine::Request> ToCommand(const v1::ReportOutcomeRequest& request) {
  SCHAKEL_ASSIGN(auto id, ReadId<RequestId>(request.request_id(), "request_id"));
  SCHAKEL_ASSIGN(auto delivery, ReadId<DeliveryId>(request.delivery_id(), "delivery_id"));
  SCHAKEL_TRY(machine::CheckCode(request.code(), "code"));
  return machine::Request(machine::ReportOutcome{id, delivery, request.code()});
}

}  // namespace schakel::delivery
