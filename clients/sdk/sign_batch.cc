#include "clients/sdk/sign_batch.h"

#include "broker/base/check.h"
#include "broker/crypto/envelope_format.h"
#include "broker/merkle/batch_tree.h"

namespace schakel::sdk {

void SignTogether(std::span<v1::Envelope* const> envelopes, std::span<const Digest> digests,
                  const crypto::SigningKey& key) {
  SCHAKEL_CHECK(envelopes.size() == digests.size(), "a digest for each envelope");
  const auto built = merkle::BatchTree::Build(digests);
  SCHAKEL_CHECK(built.ok(), "a batch has 1 to 64 envelopes");
  const merkle::BatchTree& tree = *built;
  const Bytes signature = key.Sign(crypto::BatchMessage(tree.size(), tree.root()));
  for (uint32_t i = 0; i < tree.size(); ++i) {
    auto* proof = envelopes[i]->mutable_proof();
    proof->Clear();
    proof->set_index(i);
    proof->set_count(tree.size());
    for (const auto& hash : tree.PathOf(i)) proof->add_path(hash.str());
    proof->set_signature(signature);
  }
}

}  // namespace schakel::sdk
