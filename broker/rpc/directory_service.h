#pragma once

#include "broker/rpc/parts.h"
#include "schakel/v1/directory.grpc.pb.h"

namespace schakel::rpc {

class DirectoryService final : public transport::Strict<v1::DirectoryService::CallbackService> {
 public:
  explicit DirectoryService(const Parts& parts) : parts_(parts) {
    RegisterStrict(&DirectoryService::AdmitOrganisation, &DirectoryService::DisableOrganisation,
                   &DirectoryService::RegisterKeySet, &DirectoryService::GetOrganisation,
                   &DirectoryService::ListOrganisations, &DirectoryService::ResolveFunction);
  }

  grpc::ServerUnaryReactor* AdmitOrganisation(grpc::CallbackServerContext* context,
                                              const v1::AdmitOrganisationRequest* request,
                                              v1::AdmitOrganisationResponse* response) override;
  grpc::ServerUnaryReactor* DisableOrganisation(grpc::CallbackServerContext* context,
                                                const v1::DisableOrganisationRequest* request,
                                                v1::DisableOrganisationResponse* response) override;
  grpc::ServerUnaryReactor* RegisterKeySet(grpc::CallbackServerContext* context,
                                           const v1::RegisterKeySetRequest* request,
                                           v1::RegisterKeySetResponse* response) override;
  grpc::ServerUnaryReactor* GetOrganisation(grpc::CallbackServerContext* context,
                                            const v1::GetOrganisationRequest* request,
                                            v1::GetOrganisationResponse* response) override;
  grpc::ServerUnaryReactor* ListOrganisations(grpc::CallbackServerContext* context,
                                              const v1::ListOrganisationsRequest* request,
                                              v1::ListOrganisationsResponse* response) override;
  grpc::ServerUnaryReactor* ResolveFunction(grpc::CallbackServerContext* context,
                                            const v1::ResolveFunctionRequest* request,
                                            v1::ResolveFunctionResponse* response) override;

 private:
  const Parts parts_;
};

}  // namespace schakel::rpc
