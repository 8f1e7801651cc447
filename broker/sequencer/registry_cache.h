// Organisations and key sets as the machine reads them, kept in memory: each publish and each
// delivery reads five, and they change a few times a day.
#pragma once

#include <unordered_map>

#include "broker/store/state_reader.h"
#include "broker/store/write_batch.h"

namespace schakel::sequencer {

// Reads like `base`, whose family `registry` changes only by batches that are told to Committed.
// INVARIANT I6: what it answers is what `base` would answer. For one thread: the one that applies.
class RegistryCache final : public store::StateReader {
 public:
  // `base` must outlive it.
  explicit RegistryCache(const store::StateReader& base) : base_(base) {}

  Result<std::optional<Bytes>> Get(store::Family family, BytesView key) const override;
  Status Scan(store::Family family, BytesView begin, BytesView end,
              const store::Visitor& fn) const override;
  Status ScanReverse(store::Family family, BytesView begin, BytesView end,
                     const store::Visitor& fn) const override;
  Result<std::vector<std::optional<Bytes>>> MultiGet(
      store::Family family, std::span<const BytesView> keys) const override;

  // A batch is durable: what it changed is read anew.
  void Committed(const store::Batch& batch);

 private:
  const store::StateReader& base_;
  // LIMIT: emptied when it holds twice the organisations, each with a key set.
  mutable std::unordered_map<Bytes, std::optional<Bytes>> values_;
};

}  // namespace schakel::sequencer
