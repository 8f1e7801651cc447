// PolicyService, and folders of policy.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "clients/sdk/bundle_source.h"
#include "clients/sdk/connection.h"
#include "schakel/v1/policy.grpc.pb.h"

namespace schakel::sdk {

struct PackedPolicy {
  Bytes bundle;  // canonical bytes
  Digest digest;
};

// The files of a bundle's folder, those that are no part of one left out.
Result<policy::BundleFiles> ReadPolicyFolder(const std::filesystem::path& folder);
// Packs a folder. `key_documents`: epoch -> digest, set in bundle.yaml where any are given.
Result<PackedPolicy> PackPolicyFolder(const std::filesystem::path& folder,
                                      const std::map<uint32_t, Digest>& key_documents = {});

// Thread-safe. Bundles by digest are kept; the active one is asked for again after `cache_time`.
class PolicyClient final : public BundleSource {
 public:
  explicit PolicyClient(std::shared_ptr<Connection> connection,
                        std::chrono::seconds cache_time = std::chrono::seconds(60));

  Result<std::shared_ptr<const LoadedBundle>> Active() override;
  Result<std::shared_ptr<const LoadedBundle>> ByDigest(const Digest& digest) override;

  // nullopt for the active one.
  Result<v1::GetPolicyResponse> Get(const std::optional<Digest>& digest);
  Result<v1::ActivatePolicyResponse> Activate(const PackedPolicy& policy);
  Result<v1::ExplainResponse> Explain(const v1::ExplainRequest& request);
  // All pages from `first_index` on; `each` sees every answer, and ends it by returning false.
  // `digest`: nullopt to decide by the bundle of each decision.
  Status Replay(uint64_t first_index, const std::optional<Digest>& digest,
                const std::function<bool(const v1::ReplayResponse&)>& each);

 private:
  Result<std::shared_ptr<const LoadedBundle>> Load(const v1::GetPolicyResponse& response);

  std::shared_ptr<Connection> connection_;
  std::chrono::seconds cache_time_;
  std::unique_ptr<v1::PolicyService::Stub> stub_;
  std::mutex mutex_;  // guards what follows
  std::map<Digest, std::shared_ptr<const LoadedBundle>> bundles_;
  std::optional<Digest> active_;
  std::chrono::steady_clock::time_point active_fetched_;
};

}  // namespace schakel::sdk
