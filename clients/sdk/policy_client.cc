#include "clients/sdk/policy_client.h"

#include "broker/base/limits.h"
#include "broker/crypto/policy_format.h"
#include "clients/sdk/files.h"
#include "policy/engine/pack.h"

namespace schakel::sdk {

namespace fs = std::filesystem;

Result<policy::BundleFiles> ReadPolicyFolder(const fs::path& folder) {
  policy::BundleFiles files;
  std::error_code code;
  if (!fs::is_directory(folder, code)) {
    return MakeError(ErrorCode::kNotFound, "FILE_MISSING", folder.string() + " is no folder",
                     folder.string());
  }
  for (fs::recursive_directory_iterator at(folder, code), end; !code && at != end;
       at.increment(code)) {
    if (!at->is_regular_file(code)) continue;
    const std::string path = at->path().lexically_relative(folder).generic_string();
    if (!policy::IsBundlePath(path)) continue;
    SCHAKEL_ASSIGN(files[path], ReadFile(at->path(), limits::kBundleBytesMax));
  }
  if (code) {
    return MakeError(ErrorCode::kFailedPrecondition, "FILE_FAILED",
                     "can't list " + folder.string() + ": " + code.message(), folder.string());
  }
  return policy::SelectFiles(files);
}

Result<PackedPolicy> PackPolicyFolder(const fs::path& folder,
                                      const std::map<uint32_t, Digest>& key_documents) {
  SCHAKEL_ASSIGN(auto files, ReadPolicyFolder(folder));
  if (!key_documents.empty()) {
    SCHAKEL_ASSIGN(files, policy::SetKeyDocuments(files, key_documents));
  }
  std::vector<crypto::PolicyFile> list;
  for (auto& [path, content] : files) list.push_back({path, std::move(content)});
  SCHAKEL_ASSIGN(Bytes bundle, crypto::EncodePolicyBundle(std::move(list)));
  const Digest digest = crypto::PolicyDigest(bundle);
  return PackedPolicy{std::move(bundle), digest};
}

PolicyClient::PolicyClient(std::shared_ptr<Connection> connection, std::chrono::seconds cache_time)
    : connection_(std::move(connection)),
      cache_time_(cache_time),
      stub_(v1::PolicyService::NewStub(connection_->channel())) {}

Result<v1::GetPolicyResponse> PolicyClient::Get(const std::optional<Digest>& digest) {
  v1::GetPolicyRequest request;
  if (digest) request.set_digest(digest->str());
  return connection_->Call(*stub_, &v1::PolicyService::Stub::GetPolicy, request);
}

Result<std::shared_ptr<const LoadedBundle>> PolicyClient::Load(
    const v1::GetPolicyResponse& response) {
  const auto digest = Digest::From(response.digest());
  if (!digest) {
    return MakeError(ErrorCode::kDataLoss, "BUNDLE_DIGEST_MISMATCH",
                     "the broker announced a malformed digest");
  }
  {
    const std::lock_guard guard(mutex_);
    if (const auto known = bundles_.find(*digest); known != bundles_.end()) return known->second;
  }
  SCHAKEL_ASSIGN(auto bundle, LoadBundle(response.bundle(), *digest));
  const std::lock_guard guard(mutex_);
  return bundles_.emplace(*digest, std::move(bundle)).first->second;
}

Result<std::shared_ptr<const LoadedBundle>> PolicyClient::Active() {
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard guard(mutex_);
    if (active_ && now - active_fetched_ < cache_time_) return bundles_.at(*active_);
  }
  SCHAKEL_ASSIGN(const auto response, Get(std::nullopt));
  SCHAKEL_ASSIGN(auto bundle, Load(response));
  const std::lock_guard guard(mutex_);
  active_ = bundle->digest;
  active_fetched_ = now;
  return bundle;
}

Result<std::shared_ptr<const LoadedBundle>> PolicyClient::ByDigest(const Digest& digest) {
  {
    const std::lock_guard guard(mutex_);
    if (const auto known = bundles_.find(digest); known != bundles_.end()) return known->second;
  }
  SCHAKEL_ASSIGN(const auto response, Get(digest));
  if (response.digest() != digest.view()) {
    return MakeError(ErrorCode::kDataLoss, "BUNDLE_DIGEST_MISMATCH",
                     "the broker answered with another bundle");
  }
  return Load(response);
}

Result<v1::ActivatePolicyResponse> PolicyClient::Activate(const PackedPolicy& policy) {
  v1::ActivatePolicyRequest request;
  request.set_bundle(policy.bundle);
  request.set_digest(policy.digest.str());
  auto response = connection_->Call(*stub_, &v1::PolicyService::Stub::ActivatePolicy, request);
  const std::lock_guard guard(mutex_);
  active_.reset();
  return response;
}

Result<v1::ExplainResponse> PolicyClient::Explain(const v1::ExplainRequest& request) {
  return connection_->Call(*stub_, &v1::PolicyService::Stub::Explain, request);
}

Status PolicyClient::Replay(uint64_t first_index, const std::optional<Digest>& digest,
                            const std::function<bool(const v1::ReplayResponse&)>& each) {
  v1::ReplayRequest request;
  request.set_first_index(first_index);
  request.set_page_size(limits::kPageSizeMax);
  if (digest) request.set_digest(digest->str());
  while (true) {
    SCHAKEL_ASSIGN(const auto response,
                   connection_->Call(*stub_, &v1::PolicyService::Stub::Replay, request));
    if (!each(response) || response.next_index() == 0) return {};
    if (response.next_index() <= request.first_index()) {
      return MakeError(ErrorCode::kDataLoss, "INTERNAL", "the broker's replay does not advance");
    }
    request.set_first_index(response.next_index());
  }
}

}  // namespace schakel::sdk
