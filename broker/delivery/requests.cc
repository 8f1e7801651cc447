#include "broker/delivery/requests.h"

#include <set>

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

Result<std::vector<DeliveryId>> ReadAcknowledgements(const v1::AcknowledgementBatch& batch) {
  if (batch.delivery_ids().empty()) {
    return InvalidArgument("FIELD_MISSING", "delivery_ids", "1 to 256 expected");
  }
  if (static_cast<size_t>(batch.delivery_ids_size()) > limits::kAcknowledgementsMax) {
    return InvalidArgument("TOO_LARGE", "delivery_ids", "1 to 256 expected");
  }
  std::vector<DeliveryId> ids;
  ids.reserve(static_cast<size_t>(batch.delivery_ids_size()));
  std::set<BytesView> seen;
  for (const auto& raw : batch.delivery_ids()) {
    const std::string field = "delivery_ids[" + std::to_string(ids.size()) + "]";
    SCHAKEL_ASSIGN(auto id, ReadId<DeliveryId>(raw, field));
    if (!seen.insert(raw).second) {
      return InvalidArgument("FIELD_INVALID", field, "the same id stands in the message twice");
    }
    ids.push_back(id);
  }
  return ids;
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

void Tell(Result<machine::Outcome> outcome, v1::SettlementResult* result) {
  if (!outcome.ok()) {
    result->set_reason(outcome.error().reason);
  } else if (outcome->refused) {
    result->set_reason(outcome->refused->reason);
  } else if (auto* ack = std::get_if<v1::AcknowledgeResponse>(&outcome->answer)) {
    *result->mutable_receipt() = std::move(*ack->mutable_receipt());
  } else if (auto* refuse = std::get_if<v1::RefuseResponse>(&outcome->answer)) {
    *result->mutable_receipt() = std::move(*refuse->mutable_receipt());
  } else if (auto* release = std::get_if<v1::ReleaseResponse>(&outcome->answer)) {
    *result->mutable_receipt() = std::move(*release->mutable_receipt());
  } else if (auto* extend = std::get_if<v1::ExtendResponse>(&outcome->answer)) {
    *result->mutable_receipt() = std::move(*extend->mutable_receipt());
  }
}

}  // namespace schakel::delivery
