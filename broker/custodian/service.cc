#include "broker/custodian/service.h"

#include <utility>

namespace schakel::custodian {

using transport::Caller;
using transport::UnaryAnswer;

template <typename Request, typename Handler>
grpc::ServerUnaryReactor* Service::ForMember(grpc::CallbackServerContext* context,
                                             const char* method, const Request* request,
                                             Handler handler) {
  const auto call = transport::CallFacts::Read(*context);
  const auto identity = parts_.guard->authenticator()->Identify(call);
  if (!identity.ok() || parts_.members->FindMember((*identity)->organisation)) {
    return parts_.guard->Unary(context, request, std::move(handler));
  }
  const auto peer = parts_.guard->BeginPeer(*context, transport::FindMethod(method));
  const Status refusal = peer.identity.ok() ? Status(NoAuthority((*identity)->organisation))
                                            : Status(peer.identity.error());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(peer.end->Translate(refusal));
  return reactor;
}

grpc::ServerUnaryReactor* Service::Evaluate(grpc::CallbackServerContext* context,
                                            const v1::EvaluateRequest* request,
                                            v1::EvaluateResponse* response) {
  auto handler = [=, this](const Caller& caller, const UnaryAnswer& answer) {
    const OrganisationId organisation = caller.organisation;
    const Status taken = parts_.pool->Submit(organisation, [=, this] {
      // Nobody waits for it any more: then it costs no budget.
      if (context->IsCancelled()) {
        answer.Finish(MakeError(ErrorCode::kCancelled, "CANCELLED", "the caller gave up"));
        return;
      }
      answer.Finish(
          parts_.evaluator->Evaluate(organisation, *request, answer.trace_id(), response));
    });
    if (!taken.ok()) answer.Finish(taken);
  };
  return ForMember(context, "schakel.v1.CustodianService.Evaluate", request, std::move(handler));
}

grpc::ServerUnaryReactor* Service::GetKeyDocument(grpc::CallbackServerContext* context,
                                                  const v1::GetKeyDocumentRequest* request,
                                                  v1::GetKeyDocumentResponse* response) {
  auto handler = [=, this](const Caller&, const UnaryAnswer& answer) {
    answer.Finish(parts_.evaluator->KeyDocument(*request, response));
  };
  return ForMember(context, "schakel.v1.CustodianService.GetKeyDocument", request,
                   std::move(handler));
}

grpc::ServerUnaryReactor* Service::GetBudget(grpc::CallbackServerContext* context,
                                             const v1::GetBudgetRequest* request,
                                             v1::GetBudgetResponse* response) {
  auto handler = [=, this](const Caller& caller, const UnaryAnswer& answer) {
    answer.Finish(parts_.evaluator->Budget(caller.organisation, response));
  };
  return ForMember(context, "schakel.v1.CustodianService.GetBudget", request, std::move(handler));
}

}  // namespace schakel::custodian
