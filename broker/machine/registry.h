// Organisations and key sets as the machine reads them, parsed and kept: each publish and each
// delivery asks for some five, and they change a few times a day.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "broker/base/ids.h"
#include "broker/store/state_reader.h"
#include "schakel/state/v1/state.pb.h"

namespace schakel::machine {

// INVARIANT I6: what it answers is what the view would answer. The state's family `registry`
// changes only by what the machine writes, and each such key is told to Wrote. For the thread that
// applies.
class Registry {
 public:
  using Organisation = std::shared_ptr<const state::v1::OrganisationVersion>;
  using KeySet = std::shared_ptr<const state::v1::StoredKeySet>;

  // The current entry; null when the OIN was never admitted.
  Result<Organisation> FindOrganisation(const store::StateReader& view, const OrganisationId& oin);
  // Null when no such key set was registered.
  Result<KeySet> FindKeySet(const store::StateReader& view, const Digest& digest);

  // A key of family `registry` is written or deleted.
  void Wrote(BytesView key);

 private:
  // By key. What is absent is not kept: a caller can name as many digests as it likes.
  // LIMIT: each is emptied when it holds four for each organisation that there may be.
  std::unordered_map<Bytes, Organisation> organisations_;
  std::unordered_map<Bytes, KeySet> key_sets_;
};

}  // namespace schakel::machine
