// Settlements as they come over the wire, checked and turned into commands, and their answers.
// Shared by the stream and the unary calls.
#pragma once

#include "broker/machine/command.h"
#include "broker/machine/outcome.h"
#include "google/protobuf/duration.pb.h"

namespace schakel::delivery {

// 30 s to 12 h; `fallback` when unset. FIELD_INVALID.
Result<Micros> ReadLease(const google::protobuf::Duration* lease, Micros fallback,
                         const std::string& field);

// FIELD_MISSING or FIELD_INVALID unless 16 bytes.
template <typename Id>
Result<Id> ReadId(BytesView raw, const std::string& field) {
  if (raw.empty()) return InvalidArgument("FIELD_MISSING", field, "16 bytes expected");
  auto id = Id::From(raw);
  if (!id) return InvalidArgument("FIELD_INVALID", field, "16 bytes expected");
  return *id;
}

Result<machine::Request> ToCommand(const v1::AcknowledgeRequest& request);
// The deliveries that it acknowledges. FIELD_MISSING, FIELD_INVALID for one that is wrong or stands
// there twice, TOO_LARGE.
Result<std::vector<DeliveryId>> ReadAcknowledgements(const v1::AcknowledgementBatch& batch);
Result<machine::Request> ToCommand(const v1::RefuseRequest& request);
Result<machine::Request> ToCommand(const v1::ReleaseRequest& request);
Result<machine::Request> ToCommand(const v1::ExtendRequest& request);
Result<machine::Request> ToCommand(const v1::FetchRequest& request);
Result<machine::Request> ToCommand(const v1::ReportOutcomeRequest& request);

// What became of a settlement, as its client is told on a stream: reason or receipt.
void Tell(Result<machine::Outcome> outcome, v1::SettlementResult* result);

}  // namespace schakel::delivery
