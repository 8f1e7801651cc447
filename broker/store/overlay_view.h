// OverlayView: the state as it will be when some batches are on disk.
#pragma once

#include <vector>

#include "broker/store/state_reader.h"
#include "broker/store/write_batch.h"

namespace schakel::store {

// Reads through a stack of batches, newest first, and then a base: own batch, batches that are
// applied but not yet durable, durable state. Owns nothing: base and batches must outlive it. A
// batch may change between calls (the machine writes into its own), not during one. It does no harm
// when a batch of the stack has become part of the base meanwhile, as long as those older than it
// have too. As thread-safe as its parts.
class OverlayView final : public StateReader {
 public:
  OverlayView(const StateReader& base, std::vector<const Batch*> newest_first)
      : base_(base), layers_(std::move(newest_first)) {}

  Result<std::optional<Bytes>> Get(Family family, BytesView key) const override;
  Result<std::vector<std::optional<Bytes>>> MultiGet(
      Family family, std::span<const BytesView> keys) const override;
  Status Scan(Family family, BytesView begin, BytesView end, const Visitor& fn) const override;
  Status ScanReverse(Family family, BytesView begin, BytesView end,
                     const Visitor& fn) const override;

 private:
  Batch::Found Find(Family family, BytesView key) const;

  const StateReader& base_;
  std::vector<const Batch*> layers_;
};

}  // namespace schakel::store
