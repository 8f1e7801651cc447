// What the machine sees of the store: sorted keys in families, to read. No RocksDB type.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/store/family.h"

namespace schakel::store {

// Called for each key of a scan; the views hold until it returns. Returns false to stop the scan.
// REQUIRES: it writes to no batch that the scanned view reads; collect first, then write.
using Visitor = std::function<bool(BytesView key, BytesView value)>;

// A view of the state. An absent key is a value (nullopt); an Error means that the disk could not
// be read or that what it gave did not match its check sum (reason STORE_CORRUPT or STORE_IO).
// Implementations say whether they may be used by several threads.
class StateReader {
 public:
  virtual ~StateReader() = default;

  virtual Result<std::optional<Bytes>> Get(Family family, BytesView key) const = 0;

  // Values of `keys` in their order. Where it pays, one look-up for all of them.
  virtual Result<std::vector<std::optional<Bytes>>> MultiGet(Family family,
                                                             std::span<const BytesView> keys) const;

  // Keys in [begin, end) in ascending bytewise order, as they were when the scan began. An empty
  // `end` means: to the last key of the family.
  virtual Status Scan(Family family, BytesView begin, BytesView end, const Visitor& fn) const = 0;

  // The same keys in descending order.
  virtual Status ScanReverse(Family family, BytesView begin, BytesView end,
                             const Visitor& fn) const = 0;

  // Keys that start with `prefix`, ascending.
  Status ScanPrefix(Family family, BytesView prefix, const Visitor& fn) const;
  // Keys that start with `prefix`, descending.
  Status ScanPrefixReverse(Family family, BytesView prefix, const Visitor& fn) const;
};

// The first key behind all keys that start with `prefix`; empty when there is none (prefix is empty
// or all 0xff), which as the end of a scan means the same.
Bytes PrefixEnd(BytesView prefix);

}  // namespace schakel::store
