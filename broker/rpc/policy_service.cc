#include "broker/rpc/policy_service.h"

#include "broker/base/limits.h"
#include "broker/crypto/policy_format.h"
#include "broker/query/policy.h"
#include "broker/query/replay.h"
#include "broker/rpc/checks.h"

namespace schakel::rpc {

namespace {

// What is wrong inside the bundle, and where, stands in the message.
Error NoBundle(const Error& error) {
  return InvalidArgument("BUNDLE_INVALID", "bundle", error.field + ": " + error.message);
}

// Compiles before queueing, so that the machine only swaps.
Result<machine::ActivatePolicy> ReadBundle(const v1::ActivatePolicyRequest& request) {
  SCHAKEL_TRY(CheckSized(request.digest(), 32, "digest"));
  if (request.bundle().empty()) {
    return InvalidArgument("FIELD_MISSING", "bundle", "is required");
  }
  if (request.bundle().size() > limits::kBundleBytesMax) {
    return InvalidArgument("TOO_LARGE", "bundle", "at most 3 MiB expected");
  }
  if (crypto::PolicyDigest(request.bundle()).view() != request.digest()) {
    return InvalidArgument("BUNDLE_DIGEST_MISMATCH", "digest", "is not the digest of the bundle");
  }
  auto files = crypto::ParsePolicyBundle(request.bundle());
  if (!files.ok()) return NoBundle(files.error());
  policy::BundleFiles map;
  for (auto& file : *files) map.emplace(std::move(file.path), std::move(file.content));
  auto compiled = policy::CompileFiles(map);
  if (!compiled.ok()) return NoBundle(compiled.error());
  return machine::ActivatePolicy{request.bundle(), *Digest::From(request.digest()), *compiled};
}

}  // namespace

grpc::ServerUnaryReactor* PolicyService::ActivatePolicy(grpc::CallbackServerContext* context,
                                                        const v1::ActivatePolicyRequest* request,
                                                        v1::ActivatePolicyResponse* response) {
  return parts_.guard->Unary(context, request,
                             [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
                               auto command = ReadBundle(*request);
                               if (!command.ok()) return answer.Finish(command.error());
                               SubmitTo(parts_, *std::move(command), caller, answer, response);
                             });
}

grpc::ServerUnaryReactor* PolicyService::GetPolicy(grpc::CallbackServerContext* context,
                                                   const v1::GetPolicyRequest* request,
                                                   v1::GetPolicyResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](const transport::Caller&, const transport::UnaryAnswer& answer) {
        Answer(parts_, answer, response,
               [&](const store::StateReader& state) { return query::GetPolicy(state, *request); });
      });
}

grpc::ServerUnaryReactor* PolicyService::Explain(grpc::CallbackServerContext* context,
                                                 const v1::ExplainRequest* request,
                                                 v1::ExplainResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](const transport::Caller&, const transport::UnaryAnswer& answer) {
        Answer(parts_, answer, response, [&](const store::StateReader& state) {
          return query::Explain(state, *parts_.bundles, *request);
        });
      });
}

grpc::ServerUnaryReactor* PolicyService::Replay(grpc::CallbackServerContext* context,
                                                const v1::ReplayRequest* request,
                                                v1::ReplayResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
        if (Status serving = parts_.Serving(); !serving.ok()) return answer.Finish(serving);
        Status shape = query::CheckReplay(*parts_.store->TakeSnapshot(), *parts_.bundles, *request);
        if (!shape.ok()) return answer.Finish(shape);
        // A recomputation reads details: it is a look, and so a record.
        machine::RecordQuery look;
        look.rpc = "Replay";
        look.question = request->SerializeAsString();
        SubmitFor<machine::QueryGrant>(
            parts_, std::move(look), caller, answer,
            [=, this](uint64_t, const machine::QueryGrant& grant) {
              Answer(parts_, answer, response,
                     [&](const store::StateReader& state) -> Result<v1::ReplayResponse> {
                       if (caller.member.role == v1::ROLE_REGISTRAR) {
                         return query::Replay(state, *parts_.bundles,
                                              query::Scope::Region(grant.tree_size), *request);
                       }
                       return query::Replay(state, *parts_.bundles, query::Scope::Of(grant),
                                            *request);
                     });
            });
      });
}

}  // namespace schakel::rpc
