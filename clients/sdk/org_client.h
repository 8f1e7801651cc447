// DirectoryService, written: the registrar's calls, and an organisation's own key set.
#pragma once

#include <memory>
#include <string>

#include "clients/sdk/connection.h"
#include "clients/sdk/key_store.h"
#include "schakel/v1/directory.grpc.pb.h"

namespace schakel::sdk {

// Digests of a certificate as an entry pins them.
void PinCertificate(const crypto::Certificate& certificate, v1::Organisation* organisation);

// Thread-safe. Reading is DirectoryClient's.
class OrgClient {
 public:
  explicit OrgClient(std::shared_ptr<Connection> connection);

  // `expected_version`: of the entry that this replaces, 0 for a new one.
  Result<v1::AdmitOrganisationResponse> Admit(const v1::Organisation& organisation,
                                              uint64_t expected_version);
  // The same, with the version that stands now: reads it first.
  Result<v1::AdmitOrganisationResponse> AdmitOrReplace(const v1::Organisation& organisation);
  Result<v1::DisableOrganisationResponse> Disable(const OrganisationId& oin,
                                                  const std::string& reason);
  // Registers each complete key set that is not marked as registered, in the order of their chain,
  // and marks it. The answer is about the newest; it has no receipt when the broker has that one
  // already, which is no error. KEY_SET_MISSING when there is none at all.
  Result<v1::RegisterKeySetResponse> RegisterPending(KeyStore& keys);

 private:
  Result<v1::RegisterKeySetResponse> Register(KeyStore& keys, const OwnKeySet& own);

  std::shared_ptr<Connection> connection_;
  std::unique_ptr<v1::DirectoryService::Stub> stub_;
};

}  // namespace schakel::sdk
