// InboxService, call by call. For a stream see pull_stream.h.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "broker/base/ids.h"
#include "clients/sdk/connection.h"
#include "schakel/v1/inbox.grpc.pb.h"

namespace schakel::sdk {

// Why a delivery is given back.
struct Refusal {
  std::string text;  // for the sender to read; no personal data
  std::string code;  // SUBJECT_MISMATCH or empty
  std::optional<v1::FunctionAddress> redirect;
};

// Thread-safe.
class InboxClient {
 public:
  explicit InboxClient(std::shared_ptr<Connection> connection);

  // `fetch_id`: the same one gives the same items again while their lease lasts.
  Result<v1::FetchResponse> Fetch(const RequestId& fetch_id, uint32_t max_items,
                                  std::optional<std::chrono::seconds> lease = std::nullopt);
  Result<v1::AcknowledgeResponse> Acknowledge(const DeliveryId& delivery);
  Result<v1::RefuseResponse> Refuse(const DeliveryId& delivery, const Refusal& refusal);
  Result<v1::ReleaseResponse> Release(const DeliveryId& delivery);
  Result<v1::ExtendResponse> Extend(const DeliveryId& delivery, std::chrono::seconds lease);
  // What came of a signal that was acknowledged: a code that the active bundle has for its type.
  // The newest report counts. `request`: the same one gets the first answer. Errors:
  // NOT_ACKNOWLEDGED, UNKNOWN_CODE, OUTCOME_NOT_APPLICABLE, TOO_MANY_REPORTS.
  Result<v1::ReportOutcomeResponse> ReportOutcome(const RequestId& request,
                                                  const DeliveryId& delivery,
                                                  const std::string& code);

 private:
  std::shared_ptr<Connection> connection_;
  std::unique_ptr<v1::InboxService::Stub> stub_;
};

v1::RefuseRequest RefuseRequestOf(const DeliveryId& delivery, const Refusal& refusal);
// A new id of 16 bytes for FetchRequest and the others that carry one.
RequestId NewRequestId();

}  // namespace schakel::sdk
