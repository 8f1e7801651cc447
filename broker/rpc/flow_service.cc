#include "broker/rpc/flow_service.h"

#include "broker/machine/alias.h"
#include "broker/rpc/checks.h"

namespace schakel::rpc {

namespace {

Result<machine::Remind> ReadRemind(const v1::RemindRequest& request) {
  SCHAKEL_TRY(CheckSized(request.request_id(), 16, "request_id"));
  if (request.alias().empty()) return InvalidArgument("FIELD_MISSING", "alias", "is required");
  auto alias = machine::NormalAlias(request.alias());
  if (!alias) return InvalidArgument("FIELD_INVALID", "alias", "one like ZHZ-7F3K expected");
  return machine::Remind{*RequestId::From(request.request_id()), *std::move(alias)};
}

}  // namespace

grpc::ServerUnaryReactor* FlowService::GetFlow(grpc::CallbackServerContext* context,
                                               const v1::GetFlowRequest* request,
                                               v1::GetFlowResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](const transport::Caller&, const transport::UnaryAnswer& answer) {
        Answer(parts_, answer, response, [&](const store::StateReader& state) {
          return flow_.Get(state, *parts_.bundles,
                           static_cast<uint64_t>(parts_.clock->Wall().count()));
        });
      });
}

grpc::ServerUnaryReactor* FlowService::ListStalled(grpc::CallbackServerContext* context,
                                                   const v1::ListStalledRequest* request,
                                                   v1::ListStalledResponse* response) {
  return parts_.guard->Unary(
      context, request,
      [=, this](const transport::Caller& caller, const transport::UnaryAnswer& answer) {
        Answer(parts_, answer, response, [&](const store::StateReader& state) {
          return query::ListStalled(state, *parts_.tokens, caller.organisation, *request);
        });
      });
}

grpc::ServerUnaryReactor* FlowService::Remind(grpc::CallbackServerContext* context,
                                              const v1::RemindRequest* request,
                                              v1::RemindResponse* response) {
  return parts_.guard->Unary(context, request,
                             [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
                               auto command = ReadRemind(*request);
                               if (!command.ok()) return answer.Finish(command.error());
                               SubmitTo(parts_, *std::move(command), caller, answer, response);
                             });
}

}  // namespace schakel::rpc
