#include "broker/custodian/service.h"

#include <utility>

#include "broker/custodian/export_stream.h"

namespace schakel::custodian {

using transport::Caller;
using transport::UnaryAnswer;

namespace {

std::string MethodOf(const char* rpc) { return std::string("schakel.v1.CustodianService.") + rpc; }

// What a record takes of metadata that nobody checked.
std::string OneOf(const std::vector<std::string_view>& values, size_t bytes_max) {
  if (values.size() != 1 || values[0].size() > bytes_max) return "";
  return std::string(values[0]);
}

Requester RequesterOf(const Caller& caller) {
  return {caller.organisation, caller.actor, caller.actor_role, caller.trace_id};
}

// A stream whose refusal is written down first.
class LateRefusal final : public grpc::ServerWriteReactor<v1::ExportLogResponse> {
 public:
  void OnDone() override { delete this; }
};

}  // namespace

std::optional<Service::Stranger> Service::FindStranger(grpc::CallbackServerContext* context,
                                                       const char* rpc) const {
  const auto call = transport::CallFacts::Read(*context);
  const auto identity = parts_.guard->authenticator()->Identify(call);
  if (!identity.ok() || parts_.members->FindMember((*identity)->organisation)) return std::nullopt;
  const auto peer = parts_.guard->BeginPeer(*context, transport::FindMethod(MethodOf(rpc)));
  Stranger stranger{{(*identity)->organisation, OneOf(call.actors, limits::kActorBytesMax),
                     OneOf(call.actor_roles, limits::kActorRoleBytesMax), call.trace_id},
                    peer.end,
                    {}};
  if (!peer.identity.ok()) stranger.refusal = peer.identity.error();
  return stranger;
}

void Service::Refuse(const Stranger& stranger, const char* rpc,
                     std::function<void(const grpc::Status&)> finish) {
  if (!stranger.refusal.ok()) return finish(stranger.end->Translate(stranger.refusal));
  const Status taken = parts_.pool->Submit(stranger.requester.organisation, [=, this] {
    finish(stranger.end->Translate(parts_.evaluator->NoAuthorityFor(stranger.requester, rpc)));
  });
  if (!taken.ok()) finish(stranger.end->Translate(taken));
}

template <typename Request, typename Handler>
grpc::ServerUnaryReactor* Service::ForMember(grpc::CallbackServerContext* context, const char* rpc,
                                             const Request* request, Handler handler) {
  const auto stranger = FindStranger(context, rpc);
  if (!stranger) return parts_.guard->Unary(context, request, std::move(handler));
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  Refuse(*stranger, rpc, [reactor](const grpc::Status& status) { reactor->Finish(status); });
  return reactor;
}

template <typename Request, typename Work>
grpc::ServerUnaryReactor* Service::InPool(grpc::CallbackServerContext* context, const char* rpc,
                                          const Request* request, Work work) {
  auto handler = [=, this](const Caller& caller, const UnaryAnswer& answer) {
    const Status taken = parts_.pool->Submit(caller.organisation, [=] {
      // Nobody waits for it any more: then it costs no budget, and nothing was seen.
      if (context->IsCancelled()) {
        answer.Finish(MakeError(ErrorCode::kCancelled, "CANCELLED", "the caller gave up"));
        return;
      }
      answer.Finish(work(caller));
    });
    if (!taken.ok()) answer.Finish(taken);
  };
  return ForMember(context, rpc, request, std::move(handler));
}

grpc::ServerUnaryReactor* Service::Evaluate(grpc::CallbackServerContext* context,
                                            const v1::EvaluateRequest* request,
                                            v1::EvaluateResponse* response) {
  return InPool(context, "Evaluate", request, [=, this](const Caller& caller) {
    return parts_.evaluator->Evaluate(RequesterOf(caller), *request, response);
  });
}

grpc::ServerUnaryReactor* Service::GetKeyDocument(grpc::CallbackServerContext* context,
                                                  const v1::GetKeyDocumentRequest* request,
                                                  v1::GetKeyDocumentResponse* response) {
  auto handler = [=, this](const Caller&, const UnaryAnswer& answer) {
    answer.Finish(parts_.evaluator->KeyDocument(*request, response));
  };
  return ForMember(context, "GetKeyDocument", request, std::move(handler));
}

grpc::ServerUnaryReactor* Service::GetBudget(grpc::CallbackServerContext* context,
                                             const v1::GetBudgetRequest* request,
                                             v1::GetBudgetResponse* response) {
  return InPool(context, "GetBudget", request, [=, this](const Caller& caller) {
    return parts_.evaluator->Budget(RequesterOf(caller), response);
  });
}

grpc::ServerUnaryReactor* Service::GetLogCheckpoint(grpc::CallbackServerContext* context,
                                                    const v1::GetLogCheckpointRequest* request,
                                                    v1::GetLogCheckpointResponse* response) {
  return InPool(context, "GetLogCheckpoint", request,
                [=, this](const Caller&) { return parts_.desk->Checkpoint(response); });
}

grpc::ServerUnaryReactor* Service::GetLogInclusionProof(
    grpc::CallbackServerContext* context, const v1::GetLogInclusionProofRequest* request,
    v1::GetLogInclusionProofResponse* response) {
  return InPool(context, "GetLogInclusionProof", request, [=, this](const Caller&) {
    return parts_.desk->InclusionProof(*request, response);
  });
}

grpc::ServerUnaryReactor* Service::GetLogConsistencyProof(
    grpc::CallbackServerContext* context, const v1::GetLogConsistencyProofRequest* request,
    v1::GetLogConsistencyProofResponse* response) {
  return InPool(context, "GetLogConsistencyProof", request, [=, this](const Caller&) {
    return parts_.desk->ConsistencyProof(*request, response);
  });
}

grpc::ServerUnaryReactor* Service::GetLogTile(grpc::CallbackServerContext* context,
                                              const v1::GetLogTileRequest* request,
                                              v1::GetLogTileResponse* response) {
  return InPool(context, "GetLogTile", request,
                [=, this](const Caller&) { return parts_.desk->Tile(*request, response); });
}

grpc::ServerUnaryReactor* Service::QueryLog(grpc::CallbackServerContext* context,
                                            const v1::QueryLogRequest* request,
                                            v1::QueryLogResponse* response) {
  return InPool(context, "QueryLog", request, [=, this](const Caller& caller) {
    return parts_.desk->Query(RequesterOf(caller), caller.member.role == v1::ROLE_AUDITOR, *request,
                              response);
  });
}

grpc::ServerWriteReactor<v1::ExportLogResponse>* Service::ExportLog(
    grpc::CallbackServerContext* context, const v1::ExportLogRequest* request) {
  if (const auto stranger = FindStranger(context, "ExportLog")) {
    auto* const refused = new LateRefusal();
    Refuse(*stranger, "ExportLog",
           [refused](const grpc::Status& status) { refused->Finish(status); });
    return refused;
  }
  return parts_.guard->ServerStream<v1::ExportLogResponse>(
      context, request, [=, this](transport::StreamPass pass) {
        return ExportStream::Start(context, std::move(pass), parts_.desk, parts_.pool, *request);
      });
}

}  // namespace schakel::custodian
