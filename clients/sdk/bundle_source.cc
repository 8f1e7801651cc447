#include "clients/sdk/bundle_source.h"

#include "broker/crypto/policy_format.h"

namespace schakel::sdk {

std::vector<PinnedKeyDocument> LoadedBundle::KeyDocuments() const {
  std::vector<PinnedKeyDocument> documents;
  for (const uint32_t epoch : compiled->LiveEpochs()) {
    if (const auto digest_of = compiled->KeyDocument(epoch)) {
      documents.push_back({epoch, *digest_of});
    }
  }
  return documents;
}

Result<std::shared_ptr<const LoadedBundle>> LoadBundle(BytesView bytes, const Digest& digest) {
  if (crypto::PolicyDigest(bytes) != digest) {
    return MakeError(ErrorCode::kDataLoss, "BUNDLE_DIGEST_MISMATCH",
                     "the policy bundle's bytes do not have the digest that was announced");
  }
  SCHAKEL_ASSIGN(auto files, crypto::ParsePolicyBundle(bytes));
  policy::BundleFiles by_path;
  for (auto& file : files) by_path.emplace(std::move(file.path), std::move(file.content));
  SCHAKEL_ASSIGN(auto compiled, policy::CompileFiles(by_path));
  return std::make_shared<const LoadedBundle>(
      LoadedBundle{digest, Bytes(bytes), std::move(compiled)});
}

}  // namespace schakel::sdk
