#include "tests/bench/sealed.h"

#include <algorithm>
#include <thread>

#include "broker/crypto/envelope_format.h"
#include "broker/crypto/sign.h"
#include "broker/merkle/batch_tree.h"
#include "clients/sdk/sign_batch.h"
#include "tests/e2e/story.h"

namespace schakel::bench {

namespace {

constexpr size_t kSealers = 2;  // as many as this project's machines have cores

sdk::SignalDraft Draft() {
  auto draft = e2e::Arrears();
  draft.sections.resize(1);
  return draft;
}

sdk::OwnKeySet KeysOf(sdk::Session& session) {
  return session.keys().value()->Current(sdk::Now()).value();
}

// Calls `seal(composer, i)` for each i below `count`, on some threads.
template <typename Seal>
void SealAll(sdk::Session& session, size_t count, Seal seal) {
  std::vector<std::thread> sealers;
  for (size_t first = 0; first < kSealers; ++first) {
    sealers.emplace_back([&seal, count, first, composer = session.NewComposer().value()] {
      for (size_t i = first; i < count; i += kSealers) seal(*composer, i);
    });
  }
  for (auto& sealer : sealers) sealer.join();
}

}  // namespace

Requests::Requests(sdk::Session& session, size_t count) : keys_(KeysOf(session)), requests_(count) {
  SealAll(session, count,
          [this](sdk::Composer& composer, size_t i) { requests_[i] = Seal(composer); });
}

const Bytes* Requests::Take() {
  const size_t i = next_++;
  if (i >= requests_.size()) return nullptr;
  auto& request = requests_[i];
  const Bytes signature = keys_.signing->Sign(request.message);
  std::copy(signature.begin(), signature.end(),
            request.bytes.begin() + static_cast<std::ptrdiff_t>(request.signature));
  return &request.bytes;
}

Requests::Request Requests::Seal(sdk::Composer& composer) const {
  const auto composed = composer.Compose(Draft(), keys_, sdk::Now()).value();
  v1::PublishRequest request;
  request.add_envelopes()->ParseFromString(composed.envelope);
  const Digest entries[] = {composed.envelope_digest};
  const auto tree = merkle::BatchTree::Build(entries).value();
  Request made;
  made.bytes = request.SerializeAsString();
  made.signature = made.bytes.find(request.envelopes(0).proof().signature());
  made.message = crypto::BatchMessage(tree.size(), tree.root());
  return made;
}

Batches::Batches(sdk::Session& session, size_t count)
    : keys_(KeysOf(session)), requests_(count), digests_(count) {
  SealAll(session, count, [this](sdk::Composer& composer, size_t i) {
    for (int k = 0; k < kBatch; ++k) {
      const auto composed = composer.Compose(Draft(), keys_, sdk::Now()).value();
      requests_[i].mutable_batch()->add_envelopes()->ParseFromString(composed.envelope);
      digests_[i].push_back(composed.envelope_digest);
    }
  });
}

const v1::PublishStreamRequest* Batches::Take() {
  const size_t i = next_++;
  if (i >= requests_.size()) return nullptr;
  std::vector<v1::Envelope*> envelopes;
  for (auto& envelope : *requests_[i].mutable_batch()->mutable_envelopes()) {
    envelopes.push_back(&envelope);
  }
  sdk::SignTogether(envelopes, digests_[i], *keys_.signing);
  return &requests_[i];
}

}  // namespace schakel::bench
