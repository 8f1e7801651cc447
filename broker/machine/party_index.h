// Which records an organisation is a party to: an index for queries, in family local.
//
// Records that one batch makes for an organisation share an entry, up to kPartyEntryMax of them:
// its key names the first, its value the others. Every further key costs a write as much as its
// value.
#pragma once

#include <map>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/store/state_reader.h"
#include "broker/store/write_batch.h"

namespace schakel::machine {

// LIMIT: what is read and written anew when one of them is destroyed.
inline constexpr size_t kPartyEntryMax = 256;

// The entry with that key and value: indexes, ascending. DATA_LOSS for what is no such entry.
Result<std::vector<uint64_t>> ReadPartyEntry(BytesView key, BytesView value);

// Not thread-safe.
class PartyIndex {
 public:
  // REQUIRES: indexes ascend.
  void Add(const Bytes& organisation, uint64_t index) { fresh_[organisation].push_back(index); }
  // Writes what was added since; at the end of a batch.
  void Write(store::Batch* out);

 private:
  std::map<Bytes, std::vector<uint64_t>> fresh_;
};

// Takes a destroyed record out of its entry. What it reads is family local and so decides nothing
// but family local (I6). `view` is what `out` is on top of.
Status RemoveFromPartyIndex(const store::StateReader& view, store::Batch* out,
                            BytesView organisation, uint64_t index);

}  // namespace schakel::machine
