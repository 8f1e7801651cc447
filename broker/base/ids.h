// Strong types for ids. Two ids of one type never stand side by side in a signature.
#pragma once

#include <compare>
#include <functional>
#include <optional>
#include <string>

#include "broker/base/bytes.h"

namespace schakel {

// An OIN: 20 ASCII digits (Logius, OIN-Stelsel). An object that exists is well formed.
class OrganisationId {
 public:
  // nullopt unless `oin` is 20 ASCII digits. Whether it is registered is not known here.
  static std::optional<OrganisationId> From(std::string_view oin);
  const std::string& str() const { return oin_; }
  auto operator<=>(const OrganisationId&) const = default;

 private:
  explicit OrganisationId(std::string oin) : oin_(std::move(oin)) {}
  std::string oin_;
};

// Whether the OIN follows the numbering scheme: a prefix of the table (00000001 .. 00000010, or
// 00000099 for tests), and the suffix 000, or 0000 after a KVK number. Asked where an organisation
// is admitted. SOURCE: Logius, OIN-Stelsel, Data Architectuur.
bool FollowsOinScheme(const OrganisationId& oin);

// 16 raw bytes: UUIDv7 where a client chooses it, HMAC output where the machine derives it.
template <typename Tag>
struct Id16 {
  std::array<uint8_t, 16> bytes{};

  // nullopt unless `raw` is exactly 16 bytes.
  static std::optional<Id16> From(BytesView raw) {
    if (raw.size() != 16) return std::nullopt;
    Id16 id;
    std::memcpy(id.bytes.data(), raw.data(), 16);
    return id;
  }
  BytesView view() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  Bytes str() const { return Bytes(view()); }
  auto operator<=>(const Id16&) const = default;
};

using SignalId = Id16<struct SignalTag>;
using CaseId = Id16<struct CaseTag>;
using StatementId = Id16<struct StatementTag>;
using DeliveryId = Id16<struct DeliveryTag>;
using EventId = Id16<struct EventTag>;
using SectionId = Id16<struct SectionTag>;
using SubjectLabel = Id16<struct SubjectLabelTag>;
using RequestId = Id16<struct RequestTag>;

// The text form of 16 bytes as a UUID (RFC 9562 section 4), lower case with hyphens.
std::string UuidText(BytesView raw16);
// Reads that form; nullopt on any other.
std::optional<Bytes> UuidParse(std::string_view text);

// The elfproef of a citizen service number of 9 digits: weights 9 8 7 6 5 4 3 2 -1, sum divisible
// by
// 11. 000000000 is refused although its sum is 0. An 8-digit number is left-padded by the caller.
// SOURCE: Besluit burgerservicenummer; proto/ENVELOPE.md, Pseudonyms.
bool PassesElfproef(std::string_view nine_digits);

}  // namespace schakel
