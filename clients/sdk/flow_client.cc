#include "clients/sdk/flow_client.h"

#include <chrono>
#include <utility>

#include "broker/base/limits.h"
#include "clients/sdk/inbox_client.h"

namespace schakel::sdk {

FlowClient::FlowClient(std::shared_ptr<Connection> connection)
    : connection_(std::move(connection)), stub_(v1::FlowService::NewStub(connection_->channel())) {}

Result<v1::GetFlowResponse> FlowClient::Get() {
  v1::GetFlowResponse flow;
  bool first = true;
  SCHAKEL_TRY(connection_->Run([&](grpc::ClientContext& context) {
    // The first who asks in a week has the figures made, of every signal that may still wait.
    if (std::exchange(first, false)) {
      context.set_deadline(std::chrono::system_clock::now() + 6 * connection_->options().timeout);
    }
    flow.Clear();
    return stub_->GetFlow(&context, {}, &flow);
  }));
  return flow;
}

Result<v1::ListStalledResponse> FlowClient::ListStalled() {
  v1::ListStalledRequest request;
  request.set_page_size(limits::kPageSizeMax);
  v1::ListStalledResponse all;
  do {
    SCHAKEL_ASSIGN(const auto page,
                   connection_->Call(*stub_, &v1::FlowService::Stub::ListStalled, request));
    all.mutable_signals()->MergeFrom(page.signals());
    all.set_position(page.position());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

Result<v1::RemindResponse> FlowClient::Remind(const std::string& alias) {
  v1::RemindRequest request;
  request.set_request_id(NewRequestId().str());
  request.set_alias(alias);
  return connection_->Call(*stub_, &v1::FlowService::Stub::Remind, request);
}

}  // namespace schakel::sdk
