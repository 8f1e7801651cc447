#include "clients/cli/bench/real_chain.h"

#include "schakel/v1/directory.grpc.pb.h"

namespace schakel::cli {
namespace {

// The organisation of the broker, as its certificate says.
Result<OrganisationId> BrokerOf(sdk::Session& session, const OrganisationId& self) {
  SCHAKEL_ASSIGN(const auto connection, session.connection());
  const auto stub = v1::DirectoryService::NewStub(connection->channel());
  v1::GetOrganisationRequest request;
  request.set_oin(self.str());
  Result<OrganisationId> peer = Internal("nobody answered");
  SCHAKEL_TRY(connection->Run([&](grpc::ClientContext& context) {
    v1::GetOrganisationResponse response;
    const grpc::Status status = stub->GetOrganisation(&context, request, &response);
    if (status.ok()) peer = connection->PeerOf(context);
    return status;
  }));
  return peer;
}

}  // namespace

bool IsFictitious(const OrganisationId& oin) { return oin.str().starts_with("00000099"); }

Status RefuseRealOrganisations(const Invocation& invocation,
                               const std::vector<OrganisationId>& all) {
  for (const auto& oin : all) {
    if (IsFictitious(oin)) continue;
    return MakeError(ErrorCode::kPermissionDenied, "REAL_CHAIN",
                     invocation.Text(Msg::kBenchRealChain, {oin.str()}), "--on-a-real-chain");
  }
  return {};
}

Status RefuseRealChain(const Invocation& invocation, sdk::Session& session) {
  SCHAKEL_ASSIGN(const auto self, session.self());
  SCHAKEL_TRY(RefuseRealOrganisations(invocation, {self}));
  SCHAKEL_ASSIGN(const auto broker, BrokerOf(session, self));
  return RefuseRealOrganisations(invocation, {broker});
}

}  // namespace schakel::cli
