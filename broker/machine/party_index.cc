#include "broker/machine/party_index.h"

#include <algorithm>
#include <optional>
#include <span>

#include "broker/machine/keys.h"

namespace schakel::machine {

using store::Family;

namespace {

constexpr size_t kOffsetBytes = 4;

void WriteEntry(BytesView organisation, std::span<const uint64_t> indexes, store::Batch* out) {
  ByteWriter others;
  for (size_t i = 1; i < indexes.size(); ++i) {
    others.U32(static_cast<uint32_t>(indexes[i] - indexes[0]));
  }
  out->Put(Family::kLocal, keys::PartyIndex(organisation, indexes[0]), others.Take());
}

}  // namespace

Result<std::vector<uint64_t>> ReadPartyEntry(BytesView key, BytesView value) {
  const auto first = keys::TrailingU64(key);
  std::vector<uint64_t> indexes;
  if (first && value.size() % kOffsetBytes == 0) {
    indexes.reserve(1 + value.size() / kOffsetBytes);
    indexes.push_back(*first);
    ByteReader reader(value);
    while (auto offset = reader.U32()) {
      if (*first + *offset <= indexes.back()) break;
      indexes.push_back(*first + *offset);
    }
  }
  if (indexes.size() != 1 + value.size() / kOffsetBytes) {
    return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT",
                     "a stored value is no index of a party");
  }
  return indexes;
}

void PartyIndex::Write(store::Batch* out) {
  for (const auto& [organisation, indexes] : fresh_) {
    const std::span<const uint64_t> all(indexes);
    for (size_t i = 0; i < all.size(); i += kPartyEntryMax) {
      WriteEntry(organisation, all.subspan(i, std::min(kPartyEntryMax, all.size() - i)), out);
    }
  }
  fresh_.clear();
}

Status RemoveFromPartyIndex(const store::StateReader& view, store::Batch* out,
                            BytesView organisation, uint64_t index) {
  std::optional<Bytes> key;
  Bytes value;
  SCHAKEL_TRY(view.ScanReverse(Family::kLocal, keys::PartyIndexPrefix(organisation),
                               keys::PartyIndex(organisation, index + 1),
                               [&](BytesView found, BytesView others) {
                                 key = Bytes(found);
                                 value = Bytes(others);
                                 return false;
                               }));
  if (!key) return {};
  SCHAKEL_ASSIGN(auto indexes, ReadPartyEntry(*key, value));
  if (std::erase(indexes, index) == 0) return {};
  const bool was_first = keys::TrailingU64(*key) == index;
  if (was_first) out->Delete(Family::kLocal, *std::move(key));
  if (!indexes.empty()) WriteEntry(organisation, indexes, out);
  return {};
}

}  // namespace schakel::machine
