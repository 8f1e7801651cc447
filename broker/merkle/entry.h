// From a record to the tree's entry: salted commitments, so that the tree can be shown to anybody
// and a record can be destroyed while every proof still holds.
//
// All values derive from the 32 bytes of entropy of one command, which is not stored afterwards.
// SOURCE: proto/ENVELOPE.md, Log
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "broker/base/bytes.h"
#include "broker/base/ids.h"

namespace schakel::merkle {

// 32 fresh random bytes that came with a command. They serve the derivations below and nothing
// else.
struct CommandEntropy {
  std::array<uint8_t, 32> bytes{};

  // nullopt unless `raw` is exactly 32 bytes.
  static std::optional<CommandEntropy> From(BytesView raw);
  BytesView view() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

using RecordSalt = Id16<struct RecordSaltTag>;
// Kept beside the detail, shown to auditors only, destroyed with it.
using DetailSalt = Id16<struct DetailSaltTag>;

// `record` is the number of the record within its command.
RecordSalt RecordSaltOf(const CommandEntropy& entropy, uint16_t record);
DetailSalt DetailSaltOf(const CommandEntropy& entropy, uint16_t record);
// `number` is the number of the event, or of the delivery, within its command.
EventId EventIdOf(const CommandEntropy& entropy, uint16_t number);
DeliveryId DeliveryIdOf(const CommandEntropy& entropy, uint16_t number);
// What the names of a broker's signals among people derive from: drawn once.
using AliasKey = Id16<struct AliasKeyTag>;
AliasKey AliasKeyOf(const CommandEntropy& entropy);

// H("schakel/v1/detail\n" || salt || lp(detail)), a field of the record.
Digest DetailCommitment(const DetailSalt& salt, BytesView detail);
// H("schakel/v1/entry\n" || salt || lp(record)): the tree's entry. `record` are the bytes as
// stored.
Digest EntryOf(const RecordSalt& salt, BytesView record);

}  // namespace schakel::merkle
