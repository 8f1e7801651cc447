#include "broker/merkle/entry.h"

#include <cstring>

#include "broker/crypto/hash.h"

namespace schakel::merkle {
namespace {

// HMAC-SHA-256(entropy, label || u16 number)[0..16)
template <typename Id>
Id Derive(const CommandEntropy& entropy, BytesView label, uint16_t number) {
  const Bytes message = ByteWriter(label.size() + 2).Raw(label).U16(number).Take();
  return *Id::From(crypto::HmacSha256(entropy.view(), message).view().substr(0, 16));
}

}  // namespace

std::optional<CommandEntropy> CommandEntropy::From(BytesView raw) {
  CommandEntropy entropy;
  if (raw.size() != entropy.bytes.size()) return std::nullopt;
  std::memcpy(entropy.bytes.data(), raw.data(), raw.size());
  return entropy;
}

RecordSalt RecordSaltOf(const CommandEntropy& entropy, uint16_t record) {
  return Derive<RecordSalt>(entropy, "schakel/v1/record-salt\n", record);
}

DetailSalt DetailSaltOf(const CommandEntropy& entropy, uint16_t record) {
  return Derive<DetailSalt>(entropy, "schakel/v1/detail-salt\n", record);
}

EventId EventIdOf(const CommandEntropy& entropy, uint16_t number) {
  return Derive<EventId>(entropy, "schakel/v1/event-id\n", number);
}

DeliveryId DeliveryIdOf(const CommandEntropy& entropy, uint16_t number) {
  return Derive<DeliveryId>(entropy, "schakel/v1/delivery-id\n", number);
}

AliasKey AliasKeyOf(const CommandEntropy& entropy) {
  return Derive<AliasKey>(entropy, "schakel/v1/alias-key\n", 0);
}

Digest DetailCommitment(const DetailSalt& salt, BytesView detail) {
  return crypto::Sha256Hasher().Raw("schakel/v1/detail\n").Raw(salt.view()).Lp(detail).Finish();
}

Digest EntryOf(const RecordSalt& salt, BytesView record) {
  return crypto::Sha256Hasher().Raw("schakel/v1/entry\n").Raw(salt.view()).Lp(record).Finish();
}

}  // namespace schakel::merkle
