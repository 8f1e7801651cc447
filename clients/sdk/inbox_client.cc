#include "clients/sdk/inbox_client.h"

#include "broker/crypto/random.h"

namespace schakel::sdk {

InboxClient::InboxClient(std::shared_ptr<Connection> connection)
    : connection_(std::move(connection)),
      stub_(v1::InboxService::NewStub(connection_->channel())) {}

RequestId NewRequestId() { return *RequestId::From(crypto::RandomBytes(16)); }

v1::RefuseRequest RefuseRequestOf(const DeliveryId& delivery, const Refusal& refusal) {
  v1::RefuseRequest request;
  request.set_delivery_id(delivery.str());
  request.set_reason_text(refusal.text);
  request.set_reason_code(refusal.code);
  if (refusal.redirect) *request.mutable_redirect() = *refusal.redirect;
  return request;
}

Result<v1::FetchResponse> InboxClient::Fetch(const RequestId& fetch_id, uint32_t max_items,
                                             std::optional<std::chrono::seconds> lease) {
  v1::FetchRequest request;
  request.set_fetch_id(fetch_id.str());
  request.set_max_items(max_items);
  if (lease) request.mutable_lease()->set_seconds(lease->count());
  return connection_->Call(*stub_, &v1::InboxService::Stub::Fetch, request);
}

Result<v1::AcknowledgeResponse> InboxClient::Acknowledge(const DeliveryId& delivery) {
  v1::AcknowledgeRequest request;
  request.set_delivery_id(delivery.str());
  return connection_->Call(*stub_, &v1::InboxService::Stub::Acknowledge, request);
}

Result<v1::RefuseResponse> InboxClient::Refuse(const DeliveryId& delivery, const Refusal& refusal) {
  return connection_->Call(*stub_, &v1::InboxService::Stub::Refuse,
                           RefuseRequestOf(delivery, refusal));
}

Result<v1::ReleaseResponse> InboxClient::Release(const DeliveryId& delivery) {
  v1::ReleaseRequest request;
  request.set_delivery_id(delivery.str());
  return connection_->Call(*stub_, &v1::InboxService::Stub::Release, request);
}

Result<v1::ExtendResponse> InboxClient::Extend(const DeliveryId& delivery,
                                               std::chrono::seconds lease) {
  v1::ExtendRequest request;
  request.set_delivery_id(delivery.str());
  request.mutable_lease()->set_seconds(lease.count());
  return connection_->Call(*stub_, &v1::InboxService::Stub::Extend, request);
}

Result<v1::ReportOutcomeResponse> InboxClient::ReportOutcome(const RequestId& request_id,
                                                             const DeliveryId& delivery,
                                                             const std::string& code) {
  v1::ReportOutcomeRequest request;
  request.set_request_id(request_id.str());
  request.set_delivery_id(delivery.str());
  request.set_code(code);
  return connection_->Call(*stub_, &v1::InboxService::Stub::ReportOutcome, request);
}

}  // namespace schakel::sdk
